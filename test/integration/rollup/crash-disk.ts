import { writeSync } from 'node:fs';
import { ClassicLevel } from 'classic-level';
import { createDatabaseKeys } from '../../../appliance/rollup/execute/database-keys.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';

/**
 * What a chain's database is given: a block, its signature, the places of a batch that came back from L1; state that came with a
 * snapshot, that the pruner moves, and that it drops.
 */
export type Write = 'block' | 'signature' | 'batch' | 'state' | 'moved' | 'dropped';

export interface DiskCrash {
  readonly write: Write;
  /** Whether the disk has it when the process dies. */
  readonly when: 'before' | 'after';
  /** Which of these writes of the process, from 1. */
  readonly nth: number;
}

/** More blocks than a test makes. */
const MAX_BLOCKS = 2_000;
const BLOCK_KIND = 2;
const GROUP_KIND = 8;
/** A group's name is its kind, a number of 6 bytes, and the mark of the pruner where it put it. */
const MARK_AT = 7;
const MARK = Buffer.from('kept');

type Operations = readonly { readonly type: 'put' | 'del'; readonly key: Uint8Array }[];

/**
 * From here on this process kills itself at that write, and says each block that its disk has: `written HASH`. The names of entries
 * are hidden, so they are made from the key of the database.
 */
export function watchDisk(databaseKey: Uint8Array, crash: DiskCrash | undefined): void {
  const keys = createDatabaseKeys(databaseKey);
  const signatures = new Set<string>();
  const places = new Set<string>();
  for (let number = 1; number <= MAX_BLOCKS; number += 1)
    places.add(textOf(keys.byName('record', `derive/batch-of/${number}`)));
  const counts: Record<Write, number> = { block: 0, signature: 0, batch: 0, state: 0, moved: 0, dropped: 0 };

  const kindOf = (operations: Operations): Write | undefined => {
    const put = operations.filter(({ type }) => type === 'put').map(({ key }) => key);
    if (blocksOf(put).length > 0) return 'block';
    if (put.some((key) => signatures.has(textOf(key)))) return 'signature';
    if (put.some((key) => places.has(textOf(key)))) return 'batch';
    const group = operations.find(({ key }) => key[0] === GROUP_KIND);
    if (group === undefined) return undefined;
    if (group.type === 'del') return 'dropped';
    return MARK.equals(group.key.subarray(MARK_AT, MARK_AT + MARK.length)) ? 'moved' : 'state';
  };

  const batch = ClassicLevel.prototype.batch as unknown as (operations: Operations, options: unknown) => Promise<void>;
  const watched = async function (this: unknown, operations: Operations, options: unknown): Promise<void> {
    const kind = kindOf(operations);
    if (kind !== undefined) counts[kind] += 1;
    const isMet = kind !== undefined && kind === crash?.write && counts[kind] === crash.nth;
    if (isMet && crash.when === 'before') return die();
    await batch.call(this, operations, options);
    for (const hash of blocksOf(operations.map(({ key }) => key))) {
      signatures.add(textOf(keys.byName('record', `unsafe/signature/${hash}`)));
      writeSync(process.stdout.fd, `written ${hash}\n`);
    }
    if (isMet) die();
  };
  ClassicLevel.prototype.batch = watched as never;
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

function blocksOf(keys: readonly Uint8Array[]): Hex[] {
  return keys.filter((key) => key[0] === BLOCK_KIND).map((key) => bytesToHex(key.subarray(1)));
}

const textOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1');
