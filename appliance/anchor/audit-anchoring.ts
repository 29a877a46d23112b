import { registryNodeId } from '../../protocol/network/node-identity.ts';
import { type AnchoredCheckpoint, auditAnchorCall, findLatestCheckpoint } from './contracts.ts';
import type { Round } from './round.ts';

/**
 * One step of anchoring the audit log's checkpoint; returns the newest one on our chain. Adversary: whoever cuts or
 * rewrites the log; the chain keeps the size and root that were, and a log that does not match is never anchored over it.
 */
export async function advanceAudit(round: Round): Promise<AnchoredCheckpoint | undefined> {
  const nodeId = registryNodeId(round.peerId());
  const latest = await findLatestCheckpoint(round.chain, nodeId);
  const head = await round.audit.treeHead();
  if (latest !== undefined && head.size <= latest.size) {
    await forget(round);
    const forked = head.size < latest.size || head.root !== latest.root;
    if (forked) {
      round.log.error({ anchored: latest.size, size: head.size }, 'audit log does not hold what was anchored of it');
      round.wait('the audit log does not hold what was anchored of it: run audit verify');
    }
    return latest;
  }
  const pending = round.progress.audit;
  if (pending !== undefined && (latest === undefined || latest.size < pending.size) && !round.mayResend(pending))
    return latest;
  if (head.size === 0 || !round.isDue('audit')) return latest;
  const { size, root } = await round.audit.checkpoint();
  await round.send('audit', { call: auditAnchorCall(nodeId, { size, root }), pending: { size, root } });
  return latest;
}

async function forget(round: Round): Promise<void> {
  if (round.progress.audit === undefined) return;
  const { audit: _, ...rest } = round.progress;
  await round.save(rest);
}
