import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import type { Executor } from '../execute/executor.ts';
import type { PruneRun } from '../execute/state-places.ts';
import { liveState } from './live-state.ts';
import { decodePruneRecord, encodePruneRecord, PRUNE_RECORD, type PruneRecord, runOf } from './prune-record.ts';

/** What one change of the database moves, and how many groups one removes: blocks wait for no more. */
const STEP = { moveBytes: 128 * 1024, dropGroups: 16 };
/** BLOCKHASH reads so many headers below a block. */
const HEADERS_KEPT = 256n;

export interface PruneDeps {
  readonly database: Pick<ChainDatabase, 'get' | 'places' | 'canonicalHash' | 'block'>;
  readonly executor: Pick<Executor, 'whileStill' | 'putRecords' | 'record'>;
  /** Called before state below a block begins to go. */
  readonly onFloor: (floor: bigint) => void;
  /** Called after each change: gives way to the node's other work. Throws to break off. */
  readonly rest: () => Promise<void>;
  /** Smaller steps, for tests of what lies between two. */
  readonly step?: typeof STEP;
}

export async function readPruneRecord(executor: Pick<Executor, 'record'>): Promise<PruneRecord> {
  return decodePruneRecord(await executor.record(PRUNE_RECORD));
}

/**
 * Removes state that only blocks before `target` have, which must be final: what the target's state and the headers before it refer
 * to is moved to new places, and then everything older is removed. A run that was broken off is finished first, and alone.
 * Resolves with what is recorded in the end. Throws ROLLUP_STATE_MISSING, ROLLUP_DATABASE_INVALID, ROLLUP_DATABASE_FAILED, NODE_DISK_FULL.
 */
export async function pruneState(target: bigint, deps: PruneDeps): Promise<PruneRecord> {
  const { executor } = deps;
  let record = await readPruneRecord(executor);
  const keep = async (next: PruneRecord): Promise<void> => {
    await executor.putRecords(new Map([[PRUNE_RECORD, encodePruneRecord(next)]]));
    record = next;
  };
  if (record.run === undefined) {
    if (target <= record.floor) return record;
    await keep({ floor: record.floor, generation: record.generation + 1, run: { target, phase: 'move' } });
  }
  const run = runOf(record);
  if (run === undefined) return record;
  if (record.run?.phase === 'move') {
    await moveLive(run, deps);
    // From now on nobody may count on older state.
    await keep({ floor: run.target, generation: run.generation, run: { target: run.target, phase: 'drop' } });
  }
  deps.onFloor(run.target);
  await dropOld(run, deps);
  await keep({ floor: run.target, generation: run.generation });
  await deps.database.places.compact();
  return record;
}

async function moveLive(run: PruneRun, { database, executor, rest, step = STEP }: PruneDeps): Promise<void> {
  let batch = new Map<Hex, Uint8Array>();
  let size = 0;
  const flush = async (): Promise<void> => {
    const moved = batch;
    batch = new Map();
    size = 0;
    if (moved.size > 0) await executor.whileStill(() => database.places.move(moved, run));
    await rest();
  };
  for await (const [hash, bytes] of live(run, database)) {
    batch.set(hash, bytes);
    size += bytes.length;
    if (size >= step.moveBytes) await flush();
  }
  await flush();
}

async function* live(run: PruneRun, database: PruneDeps['database']): AsyncGenerator<readonly [Hex, Uint8Array]> {
  const hash = await database.canonicalHash(run.target);
  const block = hash && (await database.block(hash));
  if (block === undefined)
    throw new NectarError('ROLLUP_DATABASE_INVALID', { what: `chain without block ${run.target}` });
  yield* headersTo(run.target, database);
  yield* liveState(bytesToHex(block.header.stateRoot), run, database);
}

async function* headersTo(target: bigint, database: PruneDeps['database']): AsyncGenerator<readonly [Hex, Uint8Array]> {
  const first = target < HEADERS_KEPT ? 0n : target - HEADERS_KEPT;
  for (let number = first; number <= target; number += 1n) {
    const hash = await database.canonicalHash(number);
    const header = hash && (await database.get(hash));
    // A node that began with a snapshot has no older ones.
    if (hash !== undefined && header !== undefined) yield [hash, header];
  }
}

async function dropOld(run: PruneRun, { database, executor, rest, step = STEP }: PruneDeps): Promise<void> {
  let after: Uint8Array | undefined;
  do {
    after = await executor.whileStill(() => database.places.drop(after, run, step.dropGroups));
    await rest();
  } while (after !== undefined);
}
