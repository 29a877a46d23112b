import { NectarError } from '../../protocol/errors.ts';

/** Whether the index is the newest one there is, by what the log says; kept in the index until an operator resolves it. */
export type IndexCondition =
  | { readonly state: 'fresh' }
  /** An older index than the log has seen: versions are missing. */
  | {
      readonly state: 'behind';
      readonly since: string;
      readonly generation: number;
      readonly logged: number;
      /** Versions that the log tells of and the index does not have. */
      readonly missing: number;
      /** Deletions whose record the log no longer names: it has been erased there. */
      readonly unknown: number;
    }
  /** An index that was built on a longer log, or on another one. */
  | { readonly state: 'ahead'; readonly since: string; readonly leaf: number; readonly size: number };

/** The error that says what is wrong; undefined for a fresh index. */
export function conditionError(condition: Exclude<IndexCondition, { state: 'fresh' }>): NectarError;
export function conditionError(condition: IndexCondition): NectarError | undefined;
export function conditionError(condition: IndexCondition): NectarError | undefined {
  if (condition.state === 'fresh') return undefined;
  if (condition.state === 'ahead')
    return new NectarError('STORE_INDEX_AHEAD', { leaf: condition.leaf, size: condition.size });
  const { generation, logged, missing, unknown } = condition;
  return new NectarError('STORE_INDEX_BEHIND', { generation, logged, missing, unknown });
}

/**
 * Reading goes on behind: what is there is authentic, what was destroyed has been destroyed again, and a record that lost a
 * version says so. It ends where a destroyed record could not be told from a live one, and where reads would be recorded in
 * another log than the one that they belong in.
 */
export function requireReadable(condition: IndexCondition): void {
  const blocked = condition.state === 'ahead' || (condition.state === 'behind' && condition.unknown > 0);
  const error = blocked ? conditionError(condition) : undefined;
  if (error !== undefined) throw error;
}

/** A deletion is in the log, which is replayed on whatever index comes next; so it may be made on an old one. */
export function requireErasable(condition: IndexCondition): void {
  if (condition.state === 'ahead') throw conditionError(condition);
}

/** What is put into an old index is gone when the right one comes back. */
export function requireWritable(condition: IndexCondition): void {
  const error = conditionError(condition);
  if (error !== undefined) throw error;
}
