import { NectarError } from '../../../protocol/errors.ts';
import { encodeBigintJson, parseBigintJson } from '../bigint-json.ts';
import type { PruneRun } from '../execute/state-places.ts';

export const PRUNE_RECORD = 'prune';

/** How far pruning is, kept with the chain. */
export interface PruneRecord {
  /** State of blocks before this one is gone, or about to go. */
  readonly floor: bigint;
  /** Of the newest run. */
  readonly generation: number;
  /** A run that has not ended: it moves what stays, then removes what is old. */
  readonly run?: { readonly target: bigint; readonly phase: 'move' | 'drop' };
}

const NEVER_PRUNED: PruneRecord = { floor: 0n, generation: 0 };

export function encodePruneRecord(record: PruneRecord): Uint8Array {
  return encodeBigintJson(record);
}

/** Throws ROLLUP_DATABASE_INVALID. */
export function decodePruneRecord(bytes: Uint8Array | undefined): PruneRecord {
  if (bytes === undefined) return NEVER_PRUNED;
  const record = parseBigintJson(bytes) as PruneRecord;
  const { floor, generation, run } = record;
  const isRun = run === undefined || (typeof run.target === 'bigint' && (run.phase === 'move' || run.phase === 'drop'));
  if (typeof floor !== 'bigint' || !Number.isSafeInteger(generation) || !isRun)
    throw new NectarError('ROLLUP_DATABASE_INVALID', { what: 'record of pruning' });
  return record;
}

/** The run that a record is in the middle of. */
export function runOf({ generation, run }: PruneRecord): PruneRun | undefined {
  return run && { target: run.target, generation };
}
