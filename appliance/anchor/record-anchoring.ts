import type { RecordId } from '../../protocol/brand.ts';
import { merkleRoot } from '../../protocol/merkle/compact-range.ts';
import { findRecordAnchor, recordAnchorCall } from './contracts.ts';
import type { RecordVersion } from './needs.ts';
import { loadLeaves, type Progress, saveLeaves } from './progress.ts';
import type { Round } from './round.ts';

/**
 * One step of anchoring record commitments. The order is what makes a crash harmless: the batch is durable before it is
 * sent, the chain is asked whether it has the root before anything is sent (again), RecordRegistry refuses a root twice,
 * and items are marked before the batch is forgotten.
 */
export async function advanceRecords(round: Round): Promise<void> {
  const batch = round.progress.records ?? (await gather(round));
  if (batch === undefined) return;
  const blockNumber = await findRecordAnchor(round.chain, batch.root);
  if (blockNumber === undefined) {
    await round.send('records', { call: recordAnchorCall(batch.root), pending: batch });
    return;
  }
  if (blockNumber > round.chain.safeBlock()) return;
  const { records: _, safeRecords: __, ...rest } = round.progress;
  const items = await coveredItems(round, batch);
  if (items === undefined) {
    // Nothing is marked: what the batch held is still in the store's queue, and goes into the next one.
    round.log.warn({ root: batch.root }, 'the chain has the root of another batch than the one under way');
    await round.save(rest);
    return;
  }
  await round.records.markAnchored(items, { root: batch.root, batchId: batch.root });
  await round.save({ ...rest, safeRecordBlock: blockNumber.toString() });
  round.log.info({ records: items.length, l2Block: blockNumber.toString() }, 'records anchored');
}

/**
 * The batch's items, each with its commitment, when the kept leaves are what the root stands for; undefined otherwise. The files of
 * this folder are only notes: a root that somebody anchored, beside items that it does not cover, must mark nothing.
 */
async function coveredItems(
  { folder }: Round,
  { root, items }: NonNullable<Progress['records']>,
): Promise<(RecordVersion & { commitment: Uint8Array })[] | undefined> {
  const leaves = await loadLeaves(folder, root, items.length);
  if (leaves === undefined || Buffer.from(merkleRoot(leaves)).toString('hex') !== root) return undefined;
  return items.flatMap(({ recordId, version }, i) => {
    const commitment = leaves[i];
    return commitment === undefined ? [] : [{ recordId: recordId as RecordId, version, commitment }];
  });
}

async function gather(round: Round): Promise<Progress['records']> {
  if (!round.isDue('records')) return undefined;
  const unanchored = await round.records.unanchored(round.maxRecords);
  if (unanchored.length === 0) return undefined;
  // Sorted by commitment: a leaf's place tells nothing about when its record was written.
  const sorted = [...unanchored].sort((a, b) => Buffer.compare(a.commitment, b.commitment));
  const leaves = sorted.map(({ commitment }) => commitment);
  const root = Buffer.from(merkleRoot(leaves)).toString('hex');
  await saveLeaves(round.folder, root, leaves);
  const items = sorted.map(({ recordId, version }) => ({ recordId, version }));
  await round.save({ ...round.progress, records: { root, items } });
  return round.progress.records;
}
