/**
 * One change of a contract that weakens a rule; the forge tests have to fail of it. What only comes before a hash that would say the same
 * (the lengths of a leaf and its path in ShardProof) is not here.
 */
export interface ContractMutant {
  readonly rule: string;
  /** Under contracts/src. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** The changes of one file. */
export const weaken = (file: string, ...changes: readonly (readonly [string, string, string])[]): ContractMutant[] =>
  changes.map(([rule, from, to]) => ({ rule, file, from, to }));
