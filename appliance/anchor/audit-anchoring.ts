import { registryPeerHash } from '../../protocol/network/node-identity.ts';
import { type AnchoredCheckpoint, auditAnchorCall, findLatestCheckpoint, whereAnchored } from './contracts.ts';
import { MAX_ANCHORED } from './progress.ts';
import type { Round } from './round.ts';

/**
 * One step of anchoring the audit log's checkpoint; returns the newest one on our chain. Adversary: whoever cuts or
 * rewrites the log. What the chain has is told to the log first, which compares it by root and takes no further leaf if it does
 * not hold it (witnessed() throws then): nothing is anchored on top of a head that the log contradicts, nor before the chain
 * is known up to now. `onCompared` hears that the log was held against a chain that is.
 */
export async function advanceAudit(round: Round, onCompared: () => void): Promise<AnchoredCheckpoint | undefined> {
  const nodeId = registryPeerHash(round.peerId());
  const latest = await findLatestCheckpoint(round.chain, nodeId);
  const isCurrent = round.chain.isCurrent();
  if (latest !== undefined) {
    const { size, root, at } = latest;
    await round.audit.witnessed({
      size,
      root,
      where: whereAnchored(latest),
      at,
      ...(!isCurrent && { provisional: true }),
    });
    await keep(round, latest);
  }
  if (isCurrent) {
    // With every round: the log may have been started anew since the last one.
    await round.audit.chainHeard();
    onCompared();
  }
  const head = await round.audit.treeHead();
  if (latest !== undefined && head.size <= latest.size) {
    if (head.size < latest.size) round.wait('the audit log is shorter than what was anchored before its declared gap');
    return latest;
  }
  const pending = round.progress.audit;
  if (pending !== undefined && (latest === undefined || latest.size < pending.size) && !round.mayResend(pending))
    return latest;
  if (head.size === 0 || !isCurrent || !round.isDue('audit')) return latest;
  const { size, root, note } = await round.audit.checkpoint();
  await round.send('audit', { call: auditAnchorCall(nodeId, { size, root }), pending: { size, root, note } });
  return latest;
}

/** What was under way is on the chain: its note is kept, so that a later start knows of it before the chain answers. */
async function keep(round: Round, latest: AnchoredCheckpoint): Promise<void> {
  const { audit: pending, anchored = [], ...rest } = round.progress;
  if (pending === undefined || pending.size > latest.size) return;
  const { note } = pending;
  const isSame = pending.size === latest.size && pending.root === latest.root && note !== undefined;
  const kept = isSame ? [{ note, where: whereAnchored(latest), at: latest.at }, ...anchored] : anchored;
  await round.save({ ...rest, anchored: kept.slice(0, MAX_ANCHORED) });
}
