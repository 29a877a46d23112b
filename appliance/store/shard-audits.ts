import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { isNectarError } from '../../protocol/errors.ts';
import type { NamedLeaf } from '../../protocol/network/shard-exchange.ts';
import { auditSeed } from '../../protocol/storage/audit.ts';
import { nextStep, unanswered } from '../../protocol/storage/containment.ts';
import { drawLeaves, type LeafQuestion, verifyLeaves } from '../../protocol/storage/leaf-questions.ts';
import { createShardSet, type HeldShard } from '../../protocol/storage/shard-set.ts';
import { rawCidText, sha256, shardIdBytes } from './cid.ts';
import { type StoreCore, systemContext } from './core.ts';
import type { ShardBook } from './shard-book.ts';
import type { ShardHolderEntry } from './shard-entries.ts';
import type { ShardMap } from './shard-map.ts';
import type { ShardAudit, ShardAuditAnswer, ShardFault } from './shards.ts';

const DAY_MS = 86_400_000;
/** First audits that are asked for in one round. */
const FIRST_AT_A_TIME = 64;

export interface ShardAudits {
  /** This shard was taken, and counts once it has passed. */
  taken(id: Cid): void;
  /** What to ask now. */
  due(): Promise<readonly ShardAudit[]>;
  answered(answer: ShardAuditAnswer): Promise<void>;
  /** A holder gave other bytes than a shard's, or said that it has none. The evidence is durable before anything changes. */
  fault(id: Cid, of: ShardFault): Promise<boolean>;
}

export interface ShardAuditParts {
  readonly map: ShardMap;
  readonly book: ShardBook;
  /** A shard was lost: segments are to be looked through. */
  readonly onLost: () => void;
  /** A shard was placed. */
  readonly onResult: (result: 'passed' | 'silent' | 'wrong') => void;
}

/** Audits by protocol/storage: leaves by a seed, the same ones again for as long as nothing comes, and what it makes of the holder's standing. */
export function createShardAudits(core: StoreCore, { map, book, onLost, onResult }: ShardAuditParts): ShardAudits {
  const first = new Set<Cid>();
  const asked = new Map<string, readonly LeafQuestion[]>();
  const now = (): number => core.deps.now().getTime();
  const nameOf = ({ holder, first: id }: { holder: PeerIdText; first?: Cid }): string => `${holder} ${id ?? ''}`;
  const leavesOf = (questions: readonly LeafQuestion[]): NamedLeaf[] =>
    questions.map(({ shard, leaf }) => ({ id: rawCidText(shard.id), leaf }));

  function ask(holder: PeerIdText, questions: readonly LeafQuestion[], id?: Cid): ShardAudit {
    const audit = { holder, ...(id !== undefined && { first: id }), leaves: leavesOf(questions) };
    asked.set(nameOf(audit), questions);
    return audit;
  }

  async function firstAudits(): Promise<ShardAudit[]> {
    const audits: ShardAudit[] = [];
    for (const id of [...first].slice(0, FIRST_AT_A_TIME)) {
      const found = await map.find(id);
      const shard = found?.segment.shards[found.index];
      if (found === undefined || shard?.holder === undefined || shard.stage !== 'taken') {
        first.delete(id);
        continue;
      }
      const held = heldShard(id, shard.root, found.segment.shardBytes);
      audits.push(ask(shard.holder, drawLeaves(createShardSet([held]), seedOf(shard.holder, randomText())), id));
    }
    return audits;
  }

  const randomText = (): string => Buffer.from(core.deps.randomBytes(32)).toString('base64');

  /** @param at when the question was asked first: a later try of another day is the same question */
  function seedOf(holder: PeerIdText, random: string, at: number = now()): Uint8Array {
    const deal = sha256(Buffer.from(`${core.options.nodeId} ${holder}`));
    return auditSeed(Buffer.from(random, 'base64'), deal, Math.floor(at / DAY_MS));
  }

  function isDue({ pending, auditAt }: ShardHolderEntry): boolean {
    if (pending !== undefined) return nextStep(pending, now()).do !== 'wait';
    return auditAt === undefined || now() - auditAt >= DAY_MS || auditAt > now();
  }

  /** All shards of these holders that passed an audit once. */
  async function placedWith(holders: ReadonlySet<PeerIdText>): Promise<Map<PeerIdText, HeldShard[]>> {
    const placed = new Map<PeerIdText, HeldShard[]>();
    for await (const { shards, shardBytes } of map.all()) {
      for (const { id, root, holder, stage } of shards) {
        if (holder === undefined || stage !== 'placed' || !holders.has(holder)) continue;
        const list = placed.get(holder) ?? [];
        placed.set(holder, list);
        list.push(heldShard(id, root, shardBytes));
      }
    }
    return placed;
  }

  async function dailyAudits(): Promise<ShardAudit[]> {
    const due = book.all().filter((entry) => isDue(entry) && !entry.isOut);
    if (due.length === 0) return [];
    const audits: ShardAudit[] = [];
    for (const [holder, shards] of await placedWith(new Set(due.map(({ holder }) => holder)))) {
      const entry = book.get(holder);
      // The same questions again, as long as the shards are the same: a holder that answers what it likes gains nothing.
      const random = entry.pending?.seed ?? randomText();
      audits.push(ask(holder, drawLeaves(createShardSet(shards), seedOf(holder, random, entry.pending?.since))));
      seeds.set(holder, random);
    }
    return audits;
  }
  const seeds = new Map<PeerIdText, string>();

  async function fault(id: Cid, { holder, problem, sha256: digest }: ShardFault): Promise<boolean> {
    const found = await map.find(id);
    const shard = found?.segment.shards[found.index];
    if (found === undefined || shard?.holder !== holder || shard.stage === 'lost') return false;
    const detail = { cid: id, holder, problem, ...(digest !== undefined && { sha256: digest }) };
    const context = systemContext('shards');
    await core.deps.audit.append({ type: 'replica.fault', outcome: 'failure', context, detail });
    core.metrics.holderFaults.inc({ problem: problem === 'absent' ? 'absent' : 'false' });
    core.deps.log.warn({ holder, shard: id, problem }, 'a holder does not have a shard as it was stored');
    const shards = [...found.segment.shards];
    shards[found.index] = { ...shard, stage: 'lost' };
    await core.db.commit(map.put({ ...found.segment, shards }, found.segment));
    first.delete(id);
    onLost();
    return true;
  }

  async function passed(holder: PeerIdText, id: Cid | undefined): Promise<void> {
    await book.audited(holder, 'passed');
    onResult('passed');
    if (id === undefined) return;
    first.delete(id);
    const found = await map.find(id);
    const shard = found?.segment.shards[found.index];
    if (found === undefined || shard?.holder !== holder || shard.stage !== 'taken') return;
    const shards = [...found.segment.shards];
    shards[found.index] = { ...shard, stage: 'placed' };
    await core.db.commit(map.put({ ...found.segment, shards }, found.segment));
  }

  async function silent(holder: PeerIdText, id: Cid | undefined): Promise<void> {
    await book.silent(holder);
    if (id !== undefined) return;
    const entry = book.get(holder);
    const seed = entry.pending?.seed ?? seeds.get(holder) ?? randomText();
    const { pending } = entry;
    if (pending !== undefined && nextStep(pending, now()).do === 'silent') {
      await book.audited(holder, 'silent');
      onResult('silent');
    } else await book.set({ ...entry, pending: { ...unanswered(pending, now()), seed } });
  }

  /** Shards whose leaves did not come as they were stored; undefined where the answer is none at all. */
  function wrongOf(questions: readonly LeafQuestion[], answer: Uint8Array): HeldShard[] | undefined {
    try {
      return verifyLeaves(questions, answer);
    } catch (error) {
      if (isNectarError(error, 'CODING_AUDIT_ANSWER_INVALID')) return undefined;
      throw error;
    }
  }

  return {
    taken: (id) => void first.add(id),
    due: async () => [...(await firstAudits()), ...(await dailyAudits())],
    fault,
    async answered(said) {
      const { holder, outcome, answer, question, first: id } = said;
      const questions = asked.get(nameOf(said));
      asked.delete(nameOf(said));
      if (questions === undefined) return;
      if (outcome === 'silent' || (outcome === 'proofs' && answer === undefined)) return await silent(holder, id);
      await book.heard(holder);
      const absent = questions[question ?? 0]?.shard;
      const all = [...new Set(questions.map(({ shard }) => shard))];
      const wrong =
        outcome === 'absent'
          ? absent === undefined
            ? all
            : [absent]
          : wrongOf(questions, answer ?? new Uint8Array(0));
      if (wrong?.length === 0) return await passed(holder, id);
      const digest = answer === undefined ? undefined : sha256(answer).toString('hex');
      const problem = outcome === 'absent' ? 'absent' : 'wrong leaf';
      let isFault = false;
      // What is no answer at all is of no shard in particular: the first that was asked about stands for it.
      for (const shard of wrong ?? all.slice(0, 1)) {
        const of = { holder, problem, ...(digest !== undefined && { sha256: digest }) };
        isFault = (await fault(rawCidText(shard.id), of)) || isFault;
      }
      // Released meanwhile: it is right not to have it.
      if (!isFault) return;
      await book.audited(holder, 'wrong');
      onResult('wrong');
    },
  };
}

function heldShard(id: Cid, root: string, bytes: number): HeldShard {
  return { id: shardIdBytes(id), root: Uint8Array.from(Buffer.from(root, 'hex')), bytes };
}
