import { findEntry, type StoreCore, systemContext } from './core.ts';
import { nameLost } from './declared-restore.ts';
import type { LostEntry } from './entries.ts';

/**
 * Names what the log tells of and the index lacks, where nothing says that the index had gone on: puts that a kill cut off between
 * leaf and commit, which nobody was told of; or puts that were told of, and an index of the moment before them was put in place. Only
 * a receipt tells the two apart. So neither is an alarm, and neither is silent: how many, and between which leaves, is on record,
 * and a record of which nothing is there answers STORE_RECORD_LOST to whoever has its id.
 */
export async function nameCutOff(core: StoreCore, missing: Iterable<LostEntry>): Promise<void> {
  const cutOff: LostEntry[] = [];
  for (const lost of missing) {
    // A version that is there: it was to be sealed anew, and its turn comes again. One that does not open: fsck names it.
    const keys = [core.keys.version(lost.recordId, lost.version), core.keys.head(lost.recordId)];
    const [version, head] = await Promise.all(keys.map((key) => findEntry(core, key).catch(() => 'damaged')));
    if (version === undefined && head !== 'damaged') cutOff.push(lost);
  }
  if (cutOff.length === 0) return;
  await nameLost(core, cutOff, 'gone');
  const leaves = cutOff.map(({ auditLeaf }) => auditLeaf);
  const detail = { state: 'cut-off', missing: cutOff.length, from: Math.min(...leaves), to: Math.max(...leaves) };
  await core.trail.append({ type: 'store.index', outcome: 'success', context: systemContext('start'), detail });
  core.deps.log.warn(detail, 'puts interrupted by a crash are in the log and not in the index');
  core.index.cutOff = cutOff.length;
}
