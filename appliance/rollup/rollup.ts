import type { Hex } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { ChallengeAnswer } from '../../protocol/network/challenge-exchange.ts';
import type { NetworkDescriptor } from '../../protocol/network/descriptor.ts';
import type { Readiness, Service } from '../service.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { Ordering } from './account/forwarder.ts';
import type { OperatorAccount } from './account/operator-account.ts';
import { createSequencerLink } from './account/sequencer-link.ts';
import type { BatchPeers } from './blobs/peer-batches.ts';
import { addChallengeMetrics } from './challenge/challenge-metrics.ts';
import type { RollupConfig } from './config.ts';
import type { Derived } from './derive/deriver.ts';
import type { Dropped } from './derive/dropped.ts';
import type { Heads } from './derive/engine.ts';
import { createSequencerWatch } from './derive/sequencer-watch.ts';
import { findStalledHead } from './derive/stalled-heads.ts';
import type { Verdict } from './derive/unsafe-intake.ts';
import { describeL1, type ShownL1 } from './l1/describe-l1.ts';
import { createListeners } from './listeners.ts';
import { addLogIndexMetric } from './logs/log-index-metric.ts';
import { createRollupMetrics, observeEndpoints } from './metrics.ts';
import { createNetworkPort, type LocalOrdering, type NetworkPort } from './network-port.ts';
import type { StakeControl } from './own-stake.ts';
import { type ChallengePeers, NO_OPPONENTS, type RecordChallenge, UNKNOWN_CHALLENGE } from './own-validator.ts';
import { lazyRegistry } from './registry/lazy-registry.ts';
import type { NodeRegistry } from './registry/node-registry.ts';
import { assembleParts, type RollupParts } from './rollup-parts.ts';
import { OWN_CALL } from './rpc/json-rpc.ts';
import { notStarted } from './rpc/not-started.ts';
import { createForwardedTransactions } from './rpc/pending-transactions.ts';
import type { SubscriptionItem } from './rpc/subscriptions.ts';
import { describeAssertions, type ShownAssertions } from './validator/describe-state.ts';
import type { ValidatorState } from './validator/validator.ts';
import { describeWithdrawal, type ShownWithdrawal } from './withdrawals/describe-withdrawal.ts';

export interface RollupOptions {
  readonly config: RollupConfig;
  readonly descriptor: NetworkDescriptor;
  readonly databasePath: string;
  /** A snapshot to begin with, where there is one and no chain yet; removed once it is taken. */
  readonly snapshotPath?: string;
  /** fsync every block: true on the sequencer, which must not forget what it signed. */
  readonly durable: boolean;
  /** web3_clientVersion. */
  readonly clientVersion: string;
}

export interface RollupDeps {
  /** Asked for at start, when the node is unlocked: 32 bytes each. */
  readonly secrets: {
    databaseKey(): Promise<Uint8Array> | Uint8Array;
    operatorKey(): Promise<Uint8Array> | Uint8Array;
    /** The validator's own account where it is another one than the operator's; undefined: there is none. */
    validatorKey?(): Promise<Uint8Array | undefined> | Uint8Array | undefined;
  };
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  /** For net_peerCount. */
  readonly peerCount?: () => number;
  /** Members that may have the data of a batch which L1 has forgotten. */
  readonly batchPeers?: BatchPeers;
  readonly challengePeers?: ChallengePeers;
  /** Appends to the audit log what challenges of this node's stake come to. */
  readonly record?: RecordChallenge;
}

/** The rollup node: rebuilds L2 from L1, takes the sequencer's announcements before that, and serves the result. */
export interface Rollup extends Service, StakeControl {
  heads(): Heads;
  /** JSON-RPC 2.0, single or batch, by `caller` (a token's id; the node itself when absent). Never throws. */
  rpc(body: unknown, caller?: string, signal?: AbortSignal): Promise<unknown>;
  /** eth_subscribe with these parameters: says first whether it is taken, then what happens, until the signal aborts. */
  subscribe(params: unknown, caller: string, signal: AbortSignal): AsyncIterable<SubscriptionItem>;
  /** Verdict on an announced block, for gossip. */
  acceptUnsafe(message: Uint8Array): Promise<Verdict>;
  /** Announcements of consecutive blocks from `from`, for peers that missed them. */
  unsafeRange(from: bigint, limit: number): Promise<Uint8Array[]>;
  /** The data of a batch that this node derived, as peers exchange it; undefined when it is not in the archive. */
  keptBatch(batch: { readonly dataHash: Hex }): Promise<Uint8Array | undefined>;
  /** Takes a move of an opponent in a challenge. Never rejects. */
  hearChallenge(encoded: Uint8Array): Promise<ChallengeAnswer>;
  /** On the sequencer: every new announcement. Returns how to stop it. */
  onUnsafe(listener: (encoded: Uint8Array) => void): () => void;
  onHead(listener: (heads: Heads) => void): () => void;
  /** The registry as L1 has confirmed it. */
  readonly registry: NodeRegistry;
  /** The registry at the unsafe head: for what to send next, never for whom to admit. */
  readonly announced: NodeRegistry;
  /** Gives up unsafe blocks above `to`, at most down to the safe head: the unsafe head before and after. Throws ROLLUP_REWIND_REFUSED. */
  rewind(to?: bigint): Promise<{ readonly from: number; readonly to: number }>;
  /** ETH of the operator's account from L2 to L1: sends, resolves with the hash on L2. */
  withdraw(what: { readonly to: string; readonly amountWei: string }): Promise<{ readonly transaction: Hex }>;
  withdrawals(): Promise<readonly ShownWithdrawal[]>;
  /** Executes one on L1 and waits until it is mined. Throws ROLLUP_WITHDRAWAL_UNKNOWN, _NOT_CLAIMABLE, _UNCERTAIN. */
  claim(which: { readonly id: number }): Promise<void>;
  /** The state at the latest confirmed assertion, part by part. Throws ROLLUP_SNAPSHOT_UNAVAILABLE. */
  snapshot(): AsyncIterable<Uint8Array>;
  /** What is asserted of L2 on L1, and what of it is false. */
  assertions(): ShownAssertions;
  l1(): ShownL1;
  readonly account: OperatorAccount;
  /** What the network's other side (sequencer, batcher, auditor) runs on. */
  readonly network: NetworkPort;
}

const NAME = 'rollup';
/** Of what a rule of derivation kept out of L2, for whoever asks. */
const MAX_DROPPED_KEPT = 256;
/** As much as the sequencer's pool takes, and for as long. */
const FORWARDED_BOUNDS = { maxTransactions: 4_096, maxBytes: 32 * 1024 * 1024, maxAgeMs: 600_000 };

export function createRollup(options: RollupOptions, deps: RollupDeps): Rollup {
  const { log, now } = deps;
  const metrics = createRollupMetrics(deps.metrics);
  addLogIndexMetric(deps.metrics, () => {
    const next = parts?.logs.index.next();
    return next === undefined ? undefined : { next, head: get().executor.heads().unsafe.number };
  });
  const onHead = createListeners<Heads>();
  const onUnsafe = createListeners<Uint8Array>();
  addChallengeMetrics(deps.metrics, () => {
    const challenges = parts?.validator.challenges;
    return challenges && { states: challenges.state(), outcomes: challenges.outcomes() };
  });
  let parts: RollupParts | undefined;
  let running: Promise<void> | undefined;
  let stopping = new AbortController();
  let local: LocalOrdering | undefined;
  let recentlyDropped: readonly Dropped[] = [];
  const forwarded = createForwardedTransactions(FORWARDED_BOUNDS, { now });

  const get = (): RollupParts => {
    if (parts === undefined) throw new NectarError('NODE_NOT_READY', { service: NAME, reason: 'not started' });
    return parts;
  };
  const link = createSequencerLink(options.config, options.descriptor);
  const ordered = (): Ordering => local ?? link.forwarder(stopping.signal);
  const ordering: Ordering = {
    submit: (raw) => ordered().submit(raw),
    pendingNonce: (address) => ordered().pendingNonce(address),
    whyLost: (hash) => ordered().whyLost(hash),
  };
  const sequencer = createSequencerWatch(
    { silentMs: options.config.sequencerSilentMs },
    { now, ask: link.ask, isOwn: () => local !== undefined },
  );

  function observe({ record, malformedBatches, obliged, dropped, replaced }: Derived): void {
    for (const { what } of dropped) metrics.dropped.inc({ what });
    recentlyDropped = [...recentlyDropped, ...dropped].slice(-MAX_DROPPED_KEPT);
    metrics.obligedBlocks.inc(obliged);
    metrics.l1Block.set(Number(record.number));
    metrics.malformedBatches.inc(malformedBatches);
    if (replaced) metrics.replacedChains.inc();
  }

  let newest = 0n;
  function observeHeads(heads: Heads): void {
    if (heads.unsafe.number > newest) sequencer.sawBlock();
    newest = heads.unsafe.number;
    for (const [head, { number }] of Object.entries(heads)) metrics.head.set({ head }, Number(number));
    onHead.tell(heads);
  }

  function observeAssertions({ latestConfirmed, pending, falseAlarms }: ValidatorState): void {
    if (latestConfirmed !== undefined) metrics.confirmedBatch.set(Number(latestConfirmed.batch));
    metrics.pendingAssertions.set(pending);
    for (const status of ['live', 'confirmed'] as const)
      metrics.falseAssertions.set({ status }, falseAlarms.filter((alarm) => alarm.status === status).length);
  }

  return {
    name: NAME,
    async start(signal) {
      stopping = new AbortController();
      const databaseKey = await deps.secrets.databaseKey();
      const operatorKey = await deps.secrets.operatorKey();
      const validatorKey = deps.secrets.validatorKey === undefined ? operatorKey : await deps.secrets.validatorKey();
      const assembled = await assembleParts(
        { ...options, databaseKey, operatorKey, validatorKey },
        {
          log,
          now,
          randomBytes: deps.randomBytes,
          ordering,
          forwarded,
          localPool: () => local?.pool,
          peerCount: () => deps.peerCount?.() ?? 0,
          batchPeers: deps.batchPeers ?? { ask: async () => undefined },
          challengePeers: deps.challengePeers ?? NO_OPPONENTS,
          record: deps.record,
          onEndpoints: (states) => observeEndpoints(metrics, states),
          onWaiting: (waiting) => metrics.batchDataWaiting.set(Number(waiting)),
          onDerived: observe,
          dropped: () => recentlyDropped,
          onDiscarded({ orphaned, expired }) {
            metrics.discardedBlocks.inc({ reason: 'orphaned' }, orphaned);
            metrics.discardedBlocks.inc({ reason: 'expired' }, expired);
          },
          onRefused: (reason) => metrics.refusedBlocks.inc({ reason }),
          onEvmSpent: (outcome, ms) => metrics.evmCalls.observe({ outcome }, ms / 1000),
          onValidatorState: observeAssertions,
          onStateFloor: (floor) => metrics.stateFrom.set(Number(floor)),
        },
      );
      const until = AbortSignal.any([signal, stopping.signal]);
      if (options.snapshotPath !== undefined) await assembled.snapshots.take(options.snapshotPath, until);
      await assembled.executor.open();
      await assembled.pruner.open();
      assembled.executor.onHeads(observeHeads);
      parts = assembled;
      observeHeads(assembled.executor.heads());
      const { driver, watch, forcing, logs, validator, pruner } = assembled;
      running = Promise.all(
        [driver, watch, forcing, logs, validator, pruner, sequencer].map((part) => part.run(until)),
      ).then(() => undefined);
    },
    async stop() {
      stopping.abort();
      await running;
      const stopped = parts;
      parts = undefined;
      await stopped?.evm.stop();
      await stopped?.kzg.end();
      await stopped?.executor.close();
    },
    readiness(): Readiness {
      if (parts === undefined) return { ready: false, reason: 'not started' };
      const following = parts.driver.readiness();
      if (!following.ready) return following;
      const ages = { ...parts.executor.heads(), l1: parts.store.known() };
      const reason = sequencer.silence() ?? findStalledHead(ages, { nowMs: now(), ...options.config });
      return reason === undefined ? following : { ready: false, reason };
    },
    heads: () => get().executor.heads(),
    async rpc(body, caller, signal) {
      if (parts === undefined) return notStarted(body);
      return parts.rpc.handle(body, caller === undefined ? OWN_CALL : { caller, ...(signal && { signal }) });
    },
    subscribe: (params, caller, signal) => get().rpc.subscribe(params, caller, signal),
    async acceptUnsafe(message) {
      const verdict = await get().intake.accept(message);
      metrics.unsafeBlocks.inc({ verdict });
      return verdict;
    },
    unsafeRange: async (from, limit) => get().intake.range(from, limit),
    keptBatch: async ({ dataHash }) => parts?.archive.encoded(dataHash),
    hearChallenge: async (encoded) => parts?.validator.challenges?.hear(encoded) ?? UNKNOWN_CHALLENGE,
    onUnsafe: onUnsafe.add,
    onHead: onHead.add,
    registry: lazyRegistry(() => get().registry),
    announced: lazyRegistry(() => get().announced),
    async rewind(to) {
      const { executor } = get();
      const { safe, unsafe } = executor.heads();
      const target = to ?? safe.number;
      if (target < safe.number || target > unsafe.number) {
        throw new NectarError('ROLLUP_REWIND_REFUSED', { to: target, safe: safe.number, unsafe: unsafe.number });
      }
      await executor.rewind(target);
      log.warn({ from: unsafe.number, to: target }, 'unsafe blocks given up on request');
      return { from: Number(unsafe.number), to: Number(target) };
    },
    withdraw: async ({ to, amountWei }) => ({
      transaction: await get().withdrawals.send(to.toLowerCase() as Hex, BigInt(amountWei)),
    }),
    withdrawals: async () => (await get().withdrawals.list(stopping.signal)).map(describeWithdrawal),
    claim: async ({ id }) => get().withdrawals.claim(id, stopping.signal),
    stakeStatus: async () => get().validator.stake.stakeStatus(),
    setStaking: async (wish) => get().validator.stake.setStaking(wish),
    snapshot: () => get().snapshots.make(),
    assertions() {
      const { validator } = get();
      return describeAssertions(validator.state(), validator.challenges?.state() ?? []);
    },
    l1() {
      const { store, endpoints, driver } = get();
      return describeL1(store.known()?.number, endpoints.list(), driver.obstacles());
    },
    account: {
      address: () => get().account.address(),
      balance: async () => get().account.balance(),
      send: async (tx) => get().account.send(tx),
      receipt: async (hash) => get().account.receipt(hash),
    },
    network: createNetworkPort({
      parts: get,
      descriptor: options.descriptor,
      config: options.config,
      ordering,
      setOrdering: (own) => {
        local = own;
      },
      announce: onUnsafe.tell,
    }),
  };
}
