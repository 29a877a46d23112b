import { setTimeout as sleep } from 'node:timers/promises';
import type { RootHash } from '../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { registryPeerHash } from '../../protocol/network/node-identity.ts';
import type { Readiness, Service } from '../service.ts';
import { advanceAudit } from './audit-anchoring.ts';
import type { AnchorConfig } from './config.ts';
import { type AnchoredCheckpoint, readCheckpoints, whereAnchored } from './contracts.ts';
import { createAnchorMetrics } from './metrics.ts';
import type { AnchorDeps, AnchorOptions } from './needs.ts';
import { loadProgress } from './progress.ts';
import { advanceRecords } from './record-anchoring.ts';
import { createRound, findObstacle, type RoundMemory, type Waiting } from './round.ts';

/** Until the log has been held against the chain this node is not ready: then it looks more often. */
const FIRST_POLL_MS = 250;
/** Newest checkpoints that are read back: enough to find one that is safe, and to bind the log at many sizes. */
const MAX_CHECKPOINTS = 64;

export interface Anchored {
  /** Size and root of the newest audit checkpoint that is safe on L1. */
  readonly auditSize: number;
  readonly auditRoot: RootHash | null;
  /** Newest L2 block with one of these, decimal; null before the first. */
  readonly safeBlock: string | null;
  /** Record versions under a root that is on its way. */
  readonly pending: number;
  /** Why nothing is sent now; absent when nothing stands in the way. */
  readonly waiting?: string;
}

export interface Anchor extends Service {
  /** What stood in the way at the last look is looked at again: what is said of it holds now. */
  anchored(): Promise<Anchored>;
  /** Checkpoints of this node on the chain, oldest first: what `audit verify` compares the log with. */
  auditAnchors(): Promise<{ size: number; root: RootHash; where: string; at?: number }[]>;
  /** Looks once and does what is due; runs by itself every `pollMs`. Never throws. */
  tick(): Promise<void>;
}

export function createAnchor(options: AnchorConfig & AnchorOptions, deps: AnchorDeps): Anchor {
  return new ChainAnchor(options, { ...deps, log: deps.log.child({ service: 'anchor' }) });
}

class ChainAnchor implements Anchor {
  readonly name = 'anchor';
  readonly #options: AnchorConfig & AnchorOptions;
  readonly #deps: AnchorDeps;
  readonly #metrics: ReturnType<typeof createAnchorMetrics>;
  readonly #abort = new AbortController();
  #memory: RoundMemory | undefined;
  #loop: Promise<void> | undefined;
  #round: Promise<void> | undefined;
  #safeCheckpoint: AnchoredCheckpoint | undefined;
  #waiting: Waiting | undefined;
  /** Whether the log was held against a chain that is known up to now, since this start. */
  #isCompared = false;

  constructor(options: AnchorConfig & AnchorOptions, deps: AnchorDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#metrics = createAnchorMetrics(deps.metrics);
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#memory = { progress: await loadProgress(this.#options.folder), lastSentAt: new Map() };
    this.#loop = this.#run(AbortSignal.any([signal, this.#abort.signal]));
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
    await this.#round;
    this.#memory = undefined;
  }

  readiness(): Readiness {
    if (this.#memory === undefined) return { ready: false, reason: 'not started' };
    // A whole machine put back to an older state agrees with itself: only the chain knows better.
    if (!this.#isCompared) return { ready: false, reason: 'holding the audit log against the chain' };
    return { ready: true };
  }

  async anchored(): Promise<Anchored> {
    const { progress } = this.#get();
    const waiting = await this.#whyWaiting();
    const checkpoint = this.#safeCheckpoint;
    const blocks = [progress.safeRecordBlock, checkpoint?.blockNumber]
      .filter((block) => block !== undefined)
      .map(BigInt);
    const newest = blocks.reduce<bigint | undefined>(
      (max, block) => (max === undefined || block > max ? block : max),
      undefined,
    );
    return {
      auditSize: checkpoint?.size ?? 0,
      auditRoot: checkpoint?.root ?? null,
      safeBlock: newest?.toString() ?? null,
      pending: progress.records?.items.length ?? 0,
      ...(waiting === undefined ? {} : { waiting }),
    };
  }

  async #whyWaiting(): Promise<string | undefined> {
    const last = this.#waiting;
    if (last?.isObstacle !== true) return last?.reason;
    // A registry that does not answer now leaves what is known.
    return findObstacle(this.#deps).catch(() => last.reason);
  }

  async auditAnchors(): Promise<{ size: number; root: RootHash; where: string; at: number }[]> {
    this.#get();
    const checkpoints = await this.#checkpoints();
    return checkpoints.map((each) => ({ size: each.size, root: each.root, where: whereAnchored(each), at: each.at }));
  }

  async tick(): Promise<void> {
    this.#round ??= this.#advance(this.#get()).finally(() => {
      this.#round = undefined;
    });
    await this.#round;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.tick();
      const pause = this.#isCompared ? this.#options.pollMs : Math.min(this.#options.pollMs, FIRST_POLL_MS);
      await sleep(pause, undefined, { signal }).catch(() => {});
    }
  }

  /** Records and audit go on independently: trouble of the one does not hold up the other. */
  async #advance(memory: RoundMemory): Promise<void> {
    const round = createRound(this.#options, this.#deps, { memory, metrics: this.#metrics });
    for (const step of [advanceRecords, (each: typeof round) => this.#advanceAudit(each)]) {
      try {
        await step(round);
      } catch (error) {
        this.#deps.log.warn({ err: error }, 'anchoring made no progress');
        round.wait(isNectarError(error) ? error.message : 'the chain or the store gave no answer');
      }
    }
    this.#waiting = round.waiting;
    this.#metrics.safeAuditSize.set(this.#safeCheckpoint?.size ?? 0);
  }

  async #advanceAudit(round: ReturnType<typeof createRound>): Promise<void> {
    const latest = await advanceAudit(round, () => {
      this.#isCompared = true;
    });
    await this.#keepSafe(latest);
  }

  /** Remembers the newest checkpoint whose block is safe; an L1 reorg may take it back. */
  async #keepSafe(latest: AnchoredCheckpoint | undefined): Promise<void> {
    const safe = this.#deps.chain.safeBlock();
    const isSafe = (checkpoint: AnchoredCheckpoint): boolean => checkpoint.blockNumber <= safe;
    if (latest === undefined || isSafe(latest)) this.#safeCheckpoint = latest;
    else if (this.#safeCheckpoint === undefined || !isSafe(this.#safeCheckpoint)) {
      this.#safeCheckpoint = (await this.#checkpoints()).findLast(isSafe);
    }
  }

  async #checkpoints(): Promise<AnchoredCheckpoint[]> {
    return await readCheckpoints(this.#deps.chain, registryPeerHash(this.#deps.peerId()), MAX_CHECKPOINTS);
  }

  #get(): RoundMemory {
    if (this.#memory === undefined)
      throw new NectarError('NODE_NOT_READY', { service: 'anchor', reason: 'not started' });
    return this.#memory;
  }
}
