import { dirname, join } from 'node:path';
import { computeAddress, hexlify } from 'ethers';
import type { Hex } from '../../protocol/brand.ts';
import type { ChallengeAnswer } from '../../protocol/network/challenge-exchange.ts';
import type { NetworkDescriptor } from '../../protocol/network/descriptor.ts';
import { PREDEPLOYS } from '../../protocol/rollup/genesis.ts';
import { EMPTY_SEND_ROOT } from '../../protocol/rollup/send-tree.ts';
import type { Logger } from '../telemetry/index.ts';
import type { L1Accounts } from './account/l1-accounts.ts';
import type { OwnRpc } from './account/operator-account.ts';
import type { BatchArchive } from './blobs/batch-archive.ts';
import { createKzgThread } from './blobs/kzg-thread.ts';
import type { ChainEngine } from './chain-engine.ts';
import { createDisputeMachine, type DisputeMachine } from './challenge/dispute-machine.ts';
import type { RecordChallenge } from './challenge/evidence.ts';
import { createIterationAnswers } from './challenge/iteration-answers.ts';
import type { AskChallenge } from './challenge/peer-reach.ts';
import { findDisputeFiles } from './challenge/tracer-thread.ts';
import type { RollupConfig } from './config.ts';
import type { DeriveStore } from './derive/derive-store.ts';
import type { ChainDatabase } from './execute/chain-database.ts';
import type { JsonRpc } from './l1/json-rpc.ts';
import type { L1Source } from './l1/l1-source.ts';
import { forkOf } from './network-rules.ts';
import { createAccumulatorOf, createOwnChallenges, type OwnChallenges } from './own-challenges.ts';
import { createOwnStake, type StakeControl } from './own-stake.ts';
import { openStepProver } from './prove/node-prover.ts';
import { createStepProofs } from './prove/step-proofs.ts';
import { createAssertionFollower } from './validator/assertion-follower.ts';
import { createDerivedState, type DerivedState, type DeriveState } from './validator/derived-state.ts';
import { createFalseAlarms } from './validator/false-alarms.ts';
import { createJudge } from './validator/judge.ts';
import { createRollupCalls, type RollupCalls } from './validator/rollup-calls.ts';
import { readAssertionEvents } from './validator/rollup-logs.ts';
import { createStakeWish } from './validator/stake-wish.ts';
import { type Asserting, createValidator, type Validator, type ValidatorState } from './validator/validator.ts';
import type { SentMessages } from './withdrawals/sent-messages.ts';

export type { RecordChallenge };

const GWEI = 1_000_000_000n;
/** Of each run of the machine of disputes, beside the node's. */
const DISPUTE_CACHE_BYTES = 16 << 20;

export interface OwnValidatorOptions {
  readonly config: RollupConfig;
  readonly descriptor: Pick<NetworkDescriptor, 'l1' | 'l2' | 'srs' | 'devnet'>;
  /** secp256k1: pays on L1 and owns the stake. Undefined: there is none to assert with. */
  readonly validatorKey: Uint8Array | undefined;
  /** Conversations with opponents lie beside it; the machine of disputes reads it. */
  readonly databasePath: string;
  readonly databaseKey: Uint8Array;
}

export interface OwnValidatorParts {
  readonly l1: L1Source;
  readonly l1Rpc: JsonRpc;
  readonly accounts: L1Accounts;
  readonly store: DeriveStore;
  readonly engine: ChainEngine;
  readonly archive: BatchArchive;
  readonly database: Pick<ChainDatabase, 'block' | 'beforeReopen'>;
  readonly own: OwnRpc;
  readonly messages: SentMessages;
  /** The first block whose state is here. */
  readonly stateFrom: () => bigint;
}

export interface OwnValidatorWatch {
  readonly log: Logger;
  readonly now: () => number;
  readonly onValidatorState: (state: ValidatorState) => void;
  readonly challengePeers: ChallengePeers;
  /** Appends to the audit log what challenges come to; undefined: there is none. */
  readonly record: RecordChallenge | undefined;
}

/** Opponents that are peers of the network. */
export interface ChallengePeers {
  readonly ask: AskChallenge;
  /** How this node is reached by them; empty when it is not. */
  contact(): string;
}

/** The validator of this node, and what withdrawals need of it. */
export interface OwnValidator extends Validator {
  /** Undefined on a node that only watches. */
  readonly challenges: OwnChallenges | undefined;
  readonly stake: StakeControl;
  readonly calls: RollupCalls;
  readonly derive: DeriveState;
  readonly verdictOf: ReturnType<typeof createJudge>['verdictOf'];
  readonly book: ReturnType<typeof createAssertionFollower>['book'];
}

export const NO_OPPONENTS: ChallengePeers = {
  ask: async () => UNKNOWN_CHALLENGE,
  contact: () => '',
};

export const UNKNOWN_CHALLENGE: ChallengeAnswer = { type: 'refused', reason: 'unknown' };

export function createOwnValidator(
  { config, descriptor, validatorKey, databasePath, databaseKey }: OwnValidatorOptions,
  { log, now, onValidatorState, challengePeers, record }: OwnValidatorWatch,
  { l1, l1Rpc, accounts, store, engine, archive, database, own, messages, stateFrom }: OwnValidatorParts,
): OwnValidator {
  const { rollup, deployedAt } = descriptor.l1;
  const firstL1Block = BigInt(deployedAt.number);
  const genesis = { blockHash: descriptor.l2.genesisHash, sendRoot: EMPTY_SEND_ROOT, batch: 0n, offset: 0n };
  const follower = createAssertionFollower(
    { start: { number: firstL1Block, hash: deployedAt.hash }, genesis },
    { store, engine, l1, readEvents: (header, signal) => readAssertionEvents(l1Rpc, rollup, header, signal) },
  );
  const sendRootAt = async (block: bigint): Promise<Hex> => {
    if (block < stateFrom()) return messages.rememberedRootAt(block);
    return (await own('eth_getStorageAt', [PREDEPLOYS.messenger, '0x0', `0x${block.toString(16)}`])) as Hex;
  };
  const derive = createDerivedState({ store, engine, sendRootAt });
  const judge = createJudge(derive);
  const wish = createStakeWish(join(dirname(databasePath), 'unstaked'));
  const calls = createRollupCalls({ rollup, firstL1Block, contact: () => challengePeers.contact() }, l1Rpc);

  async function finalState(batch: bigint): Promise<DerivedState | undefined> {
    const final = await store.find(follower.covered().finalized);
    if (final === undefined || final.batchCount < batch) return undefined;
    const state = await derive({ batch, offset: 0n });
    return state === 'no such state' ? undefined : state;
  }

  function openAccount(): Asserting | undefined {
    if (!config.validator.enabled || validatorKey === undefined) return undefined;
    const maxFeePerGasWei = BigInt(config.validator.maxFeePerGasGwei) * GWEI;
    const sender = accounts.sender({ key: validatorKey, maxFeePerGasWei });
    const address = computeAddress(hexlify(validatorKey)).toLowerCase() as Hex;
    return { address, sender, calls, wish, finalState };
  }

  function openMachine(): DisputeMachine | undefined {
    const files = findDisputeFiles();
    if (files === undefined) return undefined;
    const chain = { chainId: BigInt(descriptor.l2.chainId), ...forkOf(descriptor), deployedAt: firstL1Block };
    const accumulatorOf = createAccumulatorOf(descriptor.l1.sequencerInbox, l1Rpc);
    const blockOf = (hash: Hex) => database.block(hash);
    const openProver = openStepProver(config.validator, descriptor);
    const kzg = createKzgThread('kzg-worker');
    const machine = createDisputeMachine(
      { config: chain, files, database: { path: databasePath, databaseKey, cacheBytes: DISPUTE_CACHE_BYTES } },
      {
        answersOf: createIterationAnswers(chain, { archive, store, blockOf, l1Rpc, accumulatorOf }),
        proofs: createStepProofs({
          rpc: l1Rpc,
          openProver,
          onProving: (stage) => log.info({ stage }, 'the proof of the step that decides a challenge'),
        }),
        proveElement: kzg.proveElement,
      },
    );
    database.beforeReopen(() => machine.release());
    return machine;
  }

  function openChallenges({ sender }: Asserting, key: Uint8Array): OwnChallenges {
    const { sequencerInbox, chainId } = descriptor.l1;
    const { pollMs, resubmitMs } = config.validator;
    const where = {
      rollup,
      sequencerInbox,
      chainId: BigInt(chainId),
      firstL1Block,
      folder: join(dirname(databasePath), 'challenges'),
      evidenceFolder: join(dirname(databasePath), 'challenge-evidence'),
    };
    const judged = { derive, book: follower.book, verdictOf: judge.verdictOf };
    return createOwnChallenges(
      { ...where, key, pollMs, resubmitMs },
      { l1Rpc, sender, calls, ...judged, machine: openMachine(), ask: challengePeers.ask, record, log, now },
    );
  }

  const asserting = openAccount();
  const { pollMs, resubmitMs } = config.validator;
  const validator = createValidator(
    { pollMs, resubmitMs },
    {
      follower,
      judge,
      alarms: createFalseAlarms(engine, { log }),
      ...(asserting && { asserting }),
      log,
      now,
      onState: onValidatorState,
    },
  );
  const challenges = asserting && validatorKey && openChallenges(asserting, validatorKey);
  async function run(signal: AbortSignal): Promise<void> {
    await Promise.all([validator.run(signal), challenges?.run(signal)]);
  }
  const stake = createOwnStake({
    account: asserting?.address,
    wish,
    calls,
    findAssertion: (nodeId) => follower.book().assertions.get(nodeId),
    waiting: () => validator.state().waiting,
  });
  return { ...validator, run, challenges, stake, calls, derive, verdictOf: judge.verdictOf, book: follower.book };
}
