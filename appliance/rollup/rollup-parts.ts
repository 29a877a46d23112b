import type { Hex } from '../../protocol/brand.ts';
import type { NetworkDescriptor } from '../../protocol/network/descriptor.ts';
import {
  type DelayedMessage,
  effectsOf as effectsOfMessages,
  type MessageEffects,
} from '../../protocol/rollup/delayed-message.ts';
import type { Genesis } from '../../protocol/rollup/genesis.ts';
import type { Rules } from '../../protocol/rollup/rules.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Forcing } from './account/forcing.ts';
import { forwardKnown, type Ordering } from './account/forwarder.ts';
import { createL1Accounts } from './account/l1-accounts.ts';
import { createOperatorAccount, type OperatorAccount } from './account/operator-account.ts';
import type { BatchPeers } from './blobs/peer-batches.ts';
import { type ChainEngine, createChainEngine } from './chain-engine.ts';
import type { RollupConfig } from './config.ts';
import { createDeriveStore, type DeriveStore, type L1Record } from './derive/derive-store.ts';
import type { Derived } from './derive/deriver.ts';
import { createDriver, type Driver } from './derive/driver.ts';
import { type Dropped, findDropped } from './derive/dropped.ts';
import { findInInbox } from './derive/inbox-transactions.ts';
import { createL1Steps, type Discarded } from './derive/l1-steps.ts';
import { createUnsafeIntake, type UnsafeIntake, type UnsafeRefusal } from './derive/unsafe-intake.ts';
import { describeBatch, listBatches } from './describe-batch.ts';
import { describeForced, describeHistory, describeL1, describeSync, hex } from './describe-sync.ts';
import type { Outcome, WorkerCalls } from './evm/worker-calls.ts';
import { createBlockRunner } from './execute/block-runner.ts';
import { type ChainDatabase, createChainDatabase } from './execute/chain-database.ts';
import { createExecutor, type Executor } from './execute/executor.ts';
import { loadMachine } from './execute/machine-file.ts';
import { createForeignStatePacker } from './execute/pack-foreign-state.ts';
import { shareCacheBytes } from './execute/preimage-cache.ts';
import { loadHostCrypto } from './execute/recover-key.ts';
import { createSealer } from './execute/sealer.ts';
import { storageRootAt } from './head-reader.ts';
import type { EndpointState } from './l1/endpoints.ts';
import { createL1Parts, describeEndpoints, type L1Parts } from './l1-parts.ts';
import { verifiedGenesis } from './network-genesis.ts';
import { assertMachine, forkOf, rulesOf } from './network-rules.ts';
import { createNodeEvm } from './node-evm.ts';
import { createNodeLogs, type NodeLogs } from './node-logs.ts';
import { createOwnForcing } from './own-forcing.ts';
import { createOwnPruner } from './own-pruner.ts';
import { callAt, createOwnRpc } from './own-rpc.ts';
import { createOwnSnapshots, type OwnSnapshots } from './own-snapshots.ts';
import { type ChallengePeers, createOwnValidator, type OwnValidator, type RecordChallenge } from './own-validator.ts';
import { createOwnWithdrawals } from './own-withdrawals.ts';
import type { Pruner } from './prune/pruner.ts';
import { createNodeRegistry, type NodeRegistry } from './registry/node-registry.ts';
import type { ForwardedTransactions, PendingTransactions } from './rpc/pending-transactions.ts';
import { createRpc, type Rpc } from './rpc/rpc.ts';
import type { RpcDeps } from './rpc/rpc-deps.ts';
import type { ValidatorState } from './validator/validator.ts';
import { createSentMessages } from './withdrawals/sent-messages.ts';
import type { Withdrawals } from './withdrawals/withdrawals.ts';

export interface PartsOptions {
  readonly config: RollupConfig;
  readonly descriptor: NetworkDescriptor;
  readonly databasePath: string;
  readonly databaseKey: Uint8Array;
  readonly operatorKey: Uint8Array;
  /** Owns the validator's stake; undefined: this node only watches. */
  readonly validatorKey: Uint8Array | undefined;
  /** fsync every block: on the sequencer, which must not forget what it signed. */
  readonly durable: boolean;
  readonly clientVersion: string;
}

export interface PartsDeps {
  readonly log: Logger;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly ordering: Ordering;
  /** What this node handed to a sequencer elsewhere. */
  readonly forwarded: ForwardedTransactions;
  /** The sequencer's own pool, on the node that runs it. */
  readonly localPool: () => PendingTransactions | undefined;
  readonly peerCount: () => number;
  readonly batchPeers: BatchPeers;
  readonly challengePeers: ChallengePeers;
  readonly record: RecordChallenge | undefined;
  readonly onDerived: (derived: Derived) => void;
  readonly dropped: () => readonly Dropped[];
  readonly onDiscarded: (discarded: Discarded) => void;
  readonly onWaiting: (waiting: boolean) => void;
  readonly onEndpoints: (states: readonly EndpointState[]) => void;
  readonly onRefused: (refusal: UnsafeRefusal) => void;
  readonly onEvmSpent: (outcome: Outcome, ms: number) => void;
  readonly onValidatorState: (state: ValidatorState) => void;
  readonly onStateFloor: (floor: bigint) => void;
}

/** How long an announced block waits for a look at L1 that finds its origin. */
const L1_LOOK_MS = 2_000;

/** The rollup's parts in data order: l1 -> derive -> execute -> rpc. */
export interface RollupParts extends Omit<L1Parts, 'l1'> {
  readonly rules: Rules;
  readonly database: ChainDatabase;
  readonly executor: Executor;
  readonly engine: ChainEngine;
  readonly store: DeriveStore;
  readonly driver: Driver;
  readonly intake: UnsafeIntake;
  /** Holds threads that share the database: stopped before it is closed. */
  readonly evm: Pick<WorkerCalls, 'stop'>;
  readonly rpc: Rpc;
  readonly logs: NodeLogs;
  /** The registry as L1 has confirmed it: what decides over anybody. */
  readonly registry: NodeRegistry;
  /** The registry at the unsafe head: what has been sent already. */
  readonly announced: NodeRegistry;
  readonly account: OperatorAccount;
  readonly forcing: Forcing;
  readonly validator: OwnValidator;
  readonly pruner: Pruner;
  readonly withdrawals: Withdrawals;
  readonly snapshots: OwnSnapshots;
  readonly feeRecipient: Hex;
  /** What delayed messages put into a block of this chain. */
  readonly effectsOf: (messages: readonly DelayedMessage[]) => MessageEffects;
}

export async function assembleParts(options: PartsOptions, deps: PartsDeps): Promise<RollupParts> {
  const { config, descriptor } = options;
  const chainId = BigInt(descriptor.l2.chainId);
  assertMachine(descriptor);
  const rules = rulesOf(descriptor, await loadHostCrypto());
  const genesis = verifiedGenesis(descriptor, rules);
  const first = derivationGenesis(descriptor, genesis);

  const { databasePath: path, databaseKey, durable } = options;
  const sealer = createSealer(databaseKey, deps.randomBytes);
  const cache = shareCacheBytes(config.cacheBytes);
  const database = createChainDatabase({ path, databaseKey, cacheBytes: cache.own, durable }, { sealer, rules });
  const runner = createBlockRunner({
    module: loadMachine(),
    machineRules: { chainId, ...forkOf(descriptor) },
    rules,
    database: { path, databaseKey, cacheBytes: cache.executing },
  });
  const executor = createExecutor({ database, genesis, rules, runner });
  const feeRecipient = descriptor.l2.genesis.feeRecipient;
  const gasLimit = BigInt(descriptor.l2.genesis.gasLimit);
  const effectsOf = (messages: readonly DelayedMessage[]): MessageEffects => effectsOfMessages(messages, { gasLimit });
  const engine = createChainEngine({ executor, database, effectsOf }, (index) => store.getMessage(index));

  const l1Parts = createL1Parts(options, {
    ...deps,
    engine,
    peers: deps.batchPeers,
    derived: {
      head: async () => (await store.cursor()).number,
      hashAt: async (number) => (await store.find(number))?.hash,
    },
  });
  const { l1Rpc, l1, archive } = l1Parts;
  const store = createDeriveStore(engine, first);
  const batchSources = { archive, store, transactionOf: l1Parts.transactionOf };
  const deepReorg = { depth: BigInt(config.l1ReorgDepth), confirm: l1Parts.watch.confirmsDeepReorg };
  const steps = createL1Steps({
    l1,
    store,
    engine,
    genesis: first,
    deriveInputs: runner.deriveInputs,
    expect: runner.expect,
    archive,
    deepReorg,
  });
  const timing = { pollMs: config.l1PollMs, maxBackoffMs: config.l1MaxBackoffMs, staleMs: config.l1StaleMs };
  const driver = createDriver(timing, { ...deps, steps, silence: l1Parts.silence });
  const { sequencer } = descriptor.l2;
  const intake = createUnsafeIntake(
    { chainId, sequencer, rules },
    { engine, store, lookAtL1: () => driver.look(L1_LOOK_MS), now: deps.now, onRefused: deps.onRefused },
  );

  const evm = createNodeEvm(options, deps, { database, rules });
  const logs = createNodeLogs(options, deps, { executor, database });
  const rpc = createRpc({
    database,
    rules,
    evm,
    budget: evm.budget,
    deadlineMs: config.evmDeadlineMs,
    logIndex: logs.index,
    heads: () => executor.heads(),
    stateFrom: () => pruner.stateFrom(),
    onHeads: (listener) => executor.onHeads(listener),
    clientVersion: options.clientVersion,
    log: deps.log,
    now: deps.now,
    randomBytes: deps.randomBytes,
    ...orderingOf(deps, rules),
    syncTarget: () => (driver.readiness().ready ? undefined : executor.heads().unsafe.number),
    peerCount: deps.peerCount,
    dropped: deps.dropped,
    whyLost: (hash) => deps.ordering.whyLost(hash),
    findDropped: (hash) => findDropped(hash, { record: executor.record, find: store.find }),
    findInInbox: (hash) => findInInbox(hash, { ...store, record: executor.record }),
    unconfirmed: () => forcing.list(),
    withdrawalProof: (nonce) => withdrawals.prove(nonce),
    batchOf: async (number) => {
      const place = await store.findBatch(number);
      return place && { sequenceNumber: hex(place.sequenceNumber), l1: describeL1(place.l1) };
    },
    batch: (number) => describeBatch(number, batchSources),
    batches: (which) => listBatches(which, batchSources),
    syncStatus: async () => ({
      ...describeSync(await store.cursor()),
      l1Endpoints: describeEndpoints(l1Parts.endpoints),
      logsIndexed: hex(logs.index.next() ?? 0n),
      ...(await describeHistory(executor)),
      stateFrom: hex(pruner.stateFrom()),
      unconfirmed: forcing.list().map(describeForced),
    }),
  });
  const own = createOwnRpc(rpc.handle);
  // Who belongs to the network is what L1 has confirmed: the sequencer's word alone admits nobody and drops nobody.
  const registryAt = (tag: 'safe' | 'latest', head: 'safe' | 'unsafe'): NodeRegistry =>
    createNodeRegistry(
      { l2ChainId: chainId },
      {
        head: () => executor.heads()[head],
        call: (to, data) => callAt(own, tag, { to, data }),
        storageRoot: (address, { hash }) => storageRootAt(hash, address, { database, rules }),
      },
    );
  const registry = registryAt('safe', 'safe');
  const announced = registryAt('latest', 'unsafe');
  const accounts = createL1Accounts({ chainId: BigInt(descriptor.l1.chainId) }, { rpc: l1Rpc, now: deps.now });
  const forcing = createOwnForcing(options, deps, { l1Rpc, accounts, store, engine, own });
  const account = createOperatorAccount(
    { key: options.operatorKey, chainId },
    {
      rpc: own,
      ordering: deps.ordering,
      // The sequencer's own transactions are ordered where they are signed.
      onSigned: async (transaction) => {
        if (deps.localPool() === undefined) await forcing.track(transaction);
      },
      nextFree: async (nonce) => (deps.localPool() === undefined ? forcing.nextFree(nonce) : undefined),
    },
  );
  const heads = () => executor.heads();
  const stateFrom = (): bigint => pruner.stateFrom();
  const messages = createSentMessages({ own, heads, engine, stateFrom });
  const judging = { l1, l1Rpc, accounts, store, engine, archive, database, own, messages, stateFrom };
  const validator = createOwnValidator(options, deps, judging);
  const pruner = createOwnPruner(options, deps, { database, executor, messages, validator });
  const paying = { l1Rpc, accounts, engine, messages, account, validator, heads };
  const withdrawals = createOwnWithdrawals(options, { now: deps.now }, paying);
  const packState = createForeignStatePacker(databaseKey, sealer);
  const of = { l1, l1Rpc, database, packState, genesis, first, rules, store, engine, messages, validator };
  const snapshots = createOwnSnapshots({ descriptor, databasePath: path }, deps, of);
  const executed = { ...l1Parts, rules, database, executor, engine, effectsOf, feeRecipient };
  const services = { driver, intake, evm, rpc, logs, forcing, validator, withdrawals, snapshots, pruner };
  return { ...executed, ...services, store, registry, announced, account };
}

/** Where the RPC's transactions go, and what is known of them before they are in a block. */
function orderingOf(
  { ordering, forwarded, localPool }: Pick<PartsDeps, 'ordering' | 'forwarded' | 'localPool'>,
  rules: Rules,
): Pick<RpcDeps, 'submit' | 'pending' | 'isOrderedHere' | 'orderedNonce'> {
  const known = (): PendingTransactions => localPool() ?? forwarded;
  return {
    submit: (raw) =>
      localPool() === undefined ? forwardKnown(raw, { ordering, book: forwarded, rules }) : ordering.submit(raw),
    isOrderedHere: () => localPool() !== undefined,
    orderedNonce: (address) => ordering.pendingNonce(address),
    pending: {
      nextNonce: (address, nonce) => known().nextNonce(address, nonce),
      find: (hash) => known().find(hash),
      list: () => known().list(),
      arrivals: (since) => known().arrivals(since),
      onArrival: (listener) => known().onArrival(listener),
    },
  };
}

/** Derivation before the first L1 block: nothing posted, nothing delivered. */
function derivationGenesis({ l1 }: NetworkDescriptor, genesis: Genesis): L1Record {
  const zero: Hex = `0x${'0'.repeat(64)}`;
  const number = BigInt(l1.deployedAt.number);
  const { hash } = genesis;
  return {
    number,
    hash: l1.deployedAt.hash,
    timestamp: BigInt(l1.deployedAt.timestamp),
    batchCount: 0n,
    batchAcc: zero,
    messageCount: 0n,
    messagesAllowed: 0n,
    safe: { number: 0n, hash, timestamp: genesis.header.timestamp, originNumber: number, messagesRead: 0n },
  };
}
