/** What is anchored on L1. */
export interface Anchored {
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

/** @param records versions under a root that is safe: the store's own count, which no file of notes can change */
export function describeAnchored({ auditSize, safeBlock, pending, waiting }: Anchored, records: number): ShownAnchored {
  const base = { records, auditSize, safeBlock: Number(safeBlock ?? 0), pending };
  return waiting === undefined ? base : { ...base, waiting };
}
