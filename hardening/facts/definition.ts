import type { FactType } from '../fact-type.ts';

/** One thing that can be known about a subject. Its kind is the part of its id before the first dot. */
export interface FactDefinition {
  readonly type: FactType;
  /** One sentence: what exactly the value is, with its unit. */
  readonly about: string;
}

export const yes = (about: string): FactDefinition => ({ type: 'boolean', about });
export const integer = (about: string): FactDefinition => ({ type: 'integer', about });
export const text = (about: string): FactDefinition => ({ type: 'text', about });
export const set = (about: string): FactDefinition => ({ type: 'set', about });
