import type { PeerIdText } from '../../protocol/brand.ts';
import type { ReplicationConfig } from './config.ts';
import { inParallel } from './in-parallel.ts';
import type { HeardOffer, ReplicationDeps, ShardNews, ShardTask } from './needs.ts';
import { placeOfAddresses } from './place-of-addresses.ts';

/** Members whose offers are asked for in one look. */
const MAX_ASKED = 64;

export interface Sharder {
  /** One look: what members offer, and shards to bring; resolves with the number of shards that were taken. */
  work(signal: AbortSignal): Promise<number>;
  /** Asks holders for leaves; resolves with the answers by outcome. */
  audit(signal: AbortSignal): Promise<Record<'proofs' | 'absent' | 'silent', number>>;
}

/**
 * Brings shards to the holders that the store chose, and asks them for leaves. Offers are heard of all members of the registry, not of who
 * is connected: that is what an adversary can choose.
 */
export function createSharder(config: ReplicationConfig, deps: ReplicationDeps): Sharder {
  /** When each member is asked for its offer again. */
  const askAt = new Map<PeerIdText, number>();

  /** What each member said that was due to be asked. */
  async function hear(signal: AbortSignal): Promise<ShardNews> {
    const members = new Map((await deps.registered()).map((member) => [member.peerId, member.addresses]));
    const holders = await deps.store.shardHolders();
    for (const peerId of askAt.keys()) if (!members.has(peerId)) askAt.delete(peerId);
    const now = deps.now();
    const due = [...members.keys()].filter((peerId) => peerId !== deps.self() && (askAt.get(peerId) ?? 0) <= now);
    const offers: HeardOffer[] = [];
    const silent: PeerIdText[] = [];
    await inParallel(due.slice(0, MAX_ASKED), config.parallel, async (holder) => {
      signal.throwIfAborted();
      askAt.set(holder, deps.now() + config.offerIntervalMs);
      const answer = await deps.askShards(holder, { type: 'offer' }, signal).catch(() => undefined);
      signal.throwIfAborted();
      if (answer?.type === 'offer') {
        offers.push({ holder, ...placeOfAddresses(holder, members.get(holder) ?? []), freeBytes: answer.freeBytes });
        return;
      }
      // Asked again soon: it may have been starting.
      askAt.set(holder, deps.now() + Math.min(config.offerIntervalMs, config.retryMs));
      if (answer === undefined) silent.push(holder);
    });
    return { offers, silent: await blamed(offers, silent), out: await notAdmitted(holders) };
  }

  /** Where nobody answers and nobody is connected, it is this node that is away. */
  async function blamed(offers: readonly unknown[], silent: readonly PeerIdText[]): Promise<readonly PeerIdText[]> {
    return offers.length === 0 && (await deps.members()).length === 0 ? [] : silent;
  }

  async function notAdmitted(holders: readonly PeerIdText[]): Promise<PeerIdText[]> {
    if (!deps.isCurrent()) return [];
    const out: PeerIdText[] = [];
    // A registry without an answer puts nobody out.
    for (const holder of holders) if ((await deps.isMember(holder).catch(() => true)) === false) out.push(holder);
    return out;
  }

  /** First the bytes, then what makes them a shard. */
  async function bring({ holder, id, root, bytes, blocks }: ShardTask, signal: AbortSignal): Promise<boolean> {
    if (!(await deps.bring(holder, id, blocks, signal))) return false;
    const answer = await deps
      .askShards(holder, { type: 'take', id, root, bytes, blocks }, signal)
      .catch(() => undefined);
    signal.throwIfAborted();
    return answer?.type === 'taken';
  }

  return {
    async work(signal) {
      let count = 0;
      const tasks = await deps.store.shardWork(await hear(signal));
      await inParallel(tasks, config.parallel, async (task) => {
        signal.throwIfAborted();
        const isTaken = await bring(task, signal);
        if (isTaken) count += 1;
        await deps.store.shardBrought({ id: task.id, holder: task.holder, isTaken });
      });
      return count;
    },
    async audit(signal) {
      const counts = { proofs: 0, absent: 0, silent: 0 };
      let isAnswered = false;
      const silent: Parameters<ReplicationDeps['store']['shardAudited']>[0][] = [];
      await inParallel(await deps.store.shardAudits(), config.parallel, async ({ holder, first, leaves }) => {
        signal.throwIfAborted();
        const of = { holder, ...(first !== undefined && { first }) };
        const said = await deps.askShards(holder, { type: 'leaves', leaves }, signal).catch(() => undefined);
        signal.throwIfAborted();
        isAnswered ||= said !== undefined;
        if (said?.type === 'proofs') await deps.store.shardAudited({ ...of, outcome: 'proofs', answer: said.answer });
        else if (said?.type === 'refused' && said.reason === 'absent')
          await deps.store.shardAudited({
            ...of,
            outcome: 'absent',
            ...(said.question !== undefined && { question: said.question }),
          });
        else silent.push({ ...of, outcome: 'silent' });
        if (said?.type === 'proofs') counts.proofs += 1;
        else if (said?.type === 'refused' && said.reason === 'absent') counts.absent += 1;
      });
      counts.silent = silent.length;
      const isAlone = !isAnswered && (await deps.members()).length === 0;
      if (!isAlone) for (const answer of silent) await deps.store.shardAudited(answer);
      return counts;
    },
  };
}
