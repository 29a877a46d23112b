import type { Hex } from '../../protocol/brand.ts';
import { isNectarError } from '../../protocol/errors.ts';
import type { AnchorConfig } from './config.ts';
import type { AnchorMetrics } from './metrics.ts';
import type { AnchorDeps, AnchorOptions } from './needs.ts';
import { type Progress, saveProgress } from './progress.ts';

export type Kind = 'records' | 'audit';

interface Pending {
  readonly sentAt?: number;
}

/** One round of anchoring: what its steps read, and the only way in which they change anything. */
export interface Round extends Pick<AnchorDeps, 'records' | 'audit' | 'chain' | 'peerId' | 'log'> {
  readonly folder: string;
  readonly maxRecords: number;
  readonly progress: Progress;
  save(progress: Progress): Promise<void>;
  /** Whether the interval since the last transaction of this kind is over. */
  isDue(kind: Kind): boolean;
  /** Whether a transaction may be sent (again): it never was, or it had its time and is in no block. */
  mayResend(pending: Pending): boolean;
  /** Whether this node can anchor now; when not, `waiting` says why. */
  isPermitted(): Promise<boolean>;
  /** Sends when due and unless it must wait; `pending` is durable, with the time of the send, before the transaction leaves. */
  send<K extends Kind>(
    kind: K,
    input: { call: { to: Hex; data: Hex }; pending: NonNullable<Progress[K]> },
  ): Promise<void>;
  wait(reason: string): void;
  readonly waiting: Waiting | undefined;
}

/** Why nothing is sent. */
export interface Waiting {
  readonly reason: string;
  /** Whether `findObstacle` said it: it can be asked again. Anything else is what an attempt came to. */
  readonly isObstacle: boolean;
}

/** What outlives a round. */
export interface RoundMemory {
  progress: Progress;
  readonly lastSentAt: Map<Kind, number>;
}

export function createRound(
  options: AnchorConfig & AnchorOptions,
  deps: AnchorDeps,
  shared: { memory: RoundMemory; metrics: AnchorMetrics },
): Round {
  const { memory, metrics } = shared;
  let waiting: Waiting | undefined;
  let permitted: Promise<boolean> | undefined;

  const round: Round = {
    records: deps.records,
    audit: deps.audit,
    chain: deps.chain,
    peerId: deps.peerId,
    log: deps.log,
    folder: options.folder,
    maxRecords: options.maxRecords,
    get progress() {
      return memory.progress;
    },
    get waiting() {
      return waiting;
    },
    async save(progress) {
      await saveProgress(options.folder, progress);
      memory.progress = progress;
    },
    isDue(kind) {
      return deps.now() - (memory.lastSentAt.get(kind) ?? Number.NEGATIVE_INFINITY) >= options.intervalMs;
    },
    mayResend({ sentAt }) {
      const now = deps.now();
      // A clock that was set back must not stop anchoring.
      return sentAt === undefined || now < sentAt || now - sentAt >= options.resendAfterMs;
    },
    async isPermitted() {
      permitted ??= findObstacle(deps).then((obstacle) => {
        if (obstacle !== undefined) waiting ??= { reason: obstacle, isObstacle: true };
        return obstacle === undefined;
      });
      return await permitted;
    },
    async send(kind, { call, pending }) {
      if (!round.isDue(kind) || !round.mayResend(pending) || !(await round.isPermitted())) return;
      await round.save({ ...memory.progress, [kind]: { ...pending, sentAt: deps.now() } });
      memory.lastSentAt.set(kind, deps.now());
      const refusal = await findRefusal(kind, call, { chain: deps.chain, log: deps.log, metrics });
      if (refusal === undefined) return;
      const { sentAt: _, ...unsent } = pending;
      await round.save({ ...memory.progress, [kind]: unsent });
      waiting ??= { reason: refusal, isObstacle: false };
    },
    wait(reason) {
      waiting = { reason, isObstacle: false };
    },
  };
  return round;
}

/**
 * Sends one transaction; says why when it did not leave. It may have left all the same: then the next look finds it on the
 * chain, or the contract refuses a second one.
 */
async function findRefusal(
  kind: Kind,
  call: { to: Hex; data: Hex },
  { chain, log, metrics }: Pick<AnchorDeps, 'chain' | 'log'> & { metrics: AnchorMetrics },
): Promise<string | undefined> {
  try {
    const transaction = await chain.send(call);
    metrics.sent.inc({ kind });
    log.info({ kind, transaction }, 'anchor sent');
    return undefined;
  } catch (error) {
    log.warn({ kind, err: error }, 'anchor not sent');
    if (!isNectarError(error, 'ROLLUP_ACCOUNT_CALL_REVERTED')) return 'the sequencer did not take the transaction';
    metrics.refused.inc({ kind });
    return kind === 'audit' ? 'AuditAnchor refuses the checkpoint of this node' : 'RecordRegistry refuses the records';
  }
}

type Obstacles = Pick<AnchorDeps, 'chain' | 'isAuthorized' | 'isAnnounced' | 'peerId'>;

/** Waiting is no error: a node may serve its owner for weeks before it joins a network. */
export async function findObstacle({
  chain,
  isAuthorized,
  isAnnounced,
  peerId,
}: Obstacles): Promise<string | undefined> {
  if (!(await isAuthorized(peerId()))) {
    // The registry counts as L1 has it: before that is read to its end, or L1 has the block, a "no" would be no fact.
    if (await isAnnounced(peerId())) return 'the block that admits this node is not on L1 yet';
    return chain.isCurrent()
      ? 'this node is not an authorized member of the network'
      : 'whether this node is a member is known once the chain is derived up to now';
  }
  if ((await chain.balance()) === 0n) return 'the operator account has no balance';
  return undefined;
}
