/** The types that a fact may have. A check's operator is chosen from those of its fact's type (operator.ts). */
export const FACT_TYPES = ['boolean', 'integer', 'text', 'set'] as const;
export type FactType = (typeof FACT_TYPES)[number];

export interface FactValues {
  readonly boolean: boolean;
  /** A safe integer: counts, bytes, days, uids, and file modes (written 0o600 in YAML). */
  readonly integer: number;
  /** At most MAX_TEXT_LENGTH characters. */
  readonly text: string;
  /** Without order; no value twice; at most MAX_SET_SIZE values. */
  readonly set: readonly string[];
}

export type FactValue = FactValues[FactType];

export const MAX_TEXT_LENGTH = 4096;
export const MAX_SET_SIZE = 1024;

/** Whether a value from outside is one of a fact of this type. */
export function isFactValue(type: FactType, value: unknown): value is FactValue {
  switch (type) {
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isSafeInteger(value);
    case 'text':
      return isText(value);
    case 'set':
      return (
        Array.isArray(value) &&
        value.length <= MAX_SET_SIZE &&
        value.every(isText) &&
        new Set(value).size === value.length
      );
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT_LENGTH;
}
