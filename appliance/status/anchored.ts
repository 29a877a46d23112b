/** What is anchored on L1. */
export interface Anchored {
  readonly records: number;
  readonly auditSize: number;
  readonly safeBlock: string | null;
  readonly pending: number;
  readonly waiting?: string;
}

export type ShownAnchored = {
  records: number;
  auditSize: number;
  safeBlock: number;
  pending: number;
  waiting?: string;
};

export function describeAnchored({ records, auditSize, safeBlock, pending, waiting }: Anchored): ShownAnchored {
  const base = { records, auditSize, safeBlock: Number(safeBlock ?? 0), pending };
  return waiting === undefined ? base : { ...base, waiting };
}
