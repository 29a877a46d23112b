import type { RecordId } from '../../protocol/brand.ts';
import { merkleRoot } from '../../protocol/merkle/compact-range.ts';
import { findRecordAnchor, recordAnchorCall } from './contracts.ts';
import { type Progress, saveLeaves } from './progress.ts';
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
  const items = batch.items.map(({ recordId, version }) => ({ recordId: recordId as RecordId, version }));
  await round.records.markAnchored(items, { root: batch.root, batchId: batch.root });
  const { records: _, ...rest } = round.progress;
  await round.save({ ...rest, safeRecords: rest.safeRecords + items.length, safeRecordBlock: blockNumber.toString() });
  round.log.info({ records: items.length, l2Block: blockNumber.toString() }, 'records anchored');
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
