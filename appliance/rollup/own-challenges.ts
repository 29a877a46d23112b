import { Interface } from 'ethers';
import { RollupAbi } from '../../contracts/generated/Rollup.ts';
import type { Hex } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { ChallengeAnswer } from '../../protocol/network/challenge-exchange.ts';
import { makeFolder, replaceFile, sweepStaged } from '../durable-file.ts';
import type { Logger } from '../telemetry/index.ts';
import type { L1Call, L1Sender } from './batcher/l1-sender.ts';
import { readStanding } from './challenge/challenge-record.ts';
import { type Challenges, type ChallengesL1, createChallenges } from './challenge/challenges.ts';
import { type Conversations, createConversations } from './challenge/conversations.ts';
import type { DisputeMachine } from './challenge/dispute-machine.ts';
import { createStatesAfter } from './challenge/disputed-chain.ts';
import { encodeEntry } from './challenge/encode-entry.ts';
import { createFindRefunds } from './challenge/entry-refunds.ts';
import { type ChallengeEvidence, createChallengeEvidence, type RecordChallenge } from './challenge/evidence.ts';
import { createHeardMoves, type HeardMoves } from './challenge/heard-moves.ts';
import { createHearing } from './challenge/hearing.ts';
import { type AskChallenge, createPeerReach } from './challenge/peer-reach.ts';
import type { Rivalry } from './challenge/rivalry.ts';
import { createFindRivals, type Rivals } from './challenge/rivals.ts';
import { createMoveSigner } from './challenge/sign-move.ts';
import { createOutcomesInView, type StakeOutcomes } from './challenge/stake-outcomes.ts';
import { createTalks } from './challenge/talks.ts';
import { createTruth, type DisputedChain } from './challenge/truth.ts';
import type { JsonRpc } from './l1/json-rpc.ts';
import type { AssertionBook } from './validator/assertion-book.ts';
import type { DeriveState } from './validator/derived-state.ts';
import type { Judge } from './validator/judge.ts';
import type { RollupCalls } from './validator/rollup-calls.ts';

const ROLLUP = new Interface([...RollupAbi]);
const CLOCK = new Interface(['function time() view returns (uint64)', 'function isFrozen() view returns (bool)']);
const INBOX = new Interface(['function accumulator(uint256 index) view returns (bytes32)']);
const LOOK_TIMEOUT_MS = 60_000;

export interface OwnChallengesOptions {
  readonly rollup: Hex;
  readonly sequencerInbox: Hex;
  readonly chainId: bigint;
  readonly firstL1Block: bigint;
  readonly key: Uint8Array;
  /** Where conversations lie. */
  readonly folder: string;
  /** Where it is noted what the audit log has of them. */
  readonly evidenceFolder: string;
  readonly pollMs: number;
  readonly resubmitMs: number;
}

export interface OwnChallengesDeps {
  readonly l1Rpc: JsonRpc;
  readonly sender: L1Sender;
  readonly calls: Pick<RollupCalls, 'findStake'>;
  readonly derive: DeriveState;
  readonly book: () => AssertionBook;
  readonly verdictOf: Judge['verdictOf'];
  /** Undefined: this node plays the rounds about blocks, ends what a silent opponent leaves, and opens nothing. */
  readonly machine: DisputeMachine | undefined;
  readonly ask: AskChallenge;
  /** Appends to the audit log; undefined: there is none. */
  readonly record: RecordChallenge | undefined;
  readonly log: Logger;
  readonly now: () => number;
}

export interface OwnChallenges extends Challenges {
  /** Takes a move of an opponent. Never rejects. */
  hear(encoded: Uint8Array): Promise<ChallengeAnswer>;
  /** How challenges of this account ended; undefined until L1 has told it. */
  outcomes(): StakeOutcomes | undefined;
}

/** The challenges of this node's stake, in data order: L1, truth, talk, entries. */
export function createOwnChallenges(options: OwnChallengesOptions, deps: OwnChallengesDeps): OwnChallenges {
  const { log, now, machine } = deps;
  const signer = createMoveSigner(options.key);
  let rivalries: readonly Rivalry[] = [];
  const l1 = createL1(options, deps, { owner: signer.address, onRivalries: (found) => (rivalries = found) });
  const { rollup, firstL1Block } = options;
  const truth = createTruth(
    disputedChain(options, deps),
    machine?.openRun ?? (() => missing('machine to trace a block with')),
  );
  const heard = createHeardMoves(options.folder, {
    files: { replaceFile, makeFolder, sweepStaged },
    onDamaged: (challenge) => log.warn({ challenge }, 'what was heard of an opponent is unreadable, and is left out'),
  });
  const evidence = createChallengeEvidence(options.evidenceFolder, {
    record: deps.record,
    files: { replaceFile, makeFolder, sweepStaged },
    log,
  });
  const conversations = witnessed(createConversations({ truth, heard, signer, now }), heard, evidence);
  const outcomes = createOutcomesInView(
    { rollup, firstL1Block, owner: signer.address },
    { rpc: deps.l1Rpc, onEnded: evidence.ended, log, now },
  );
  const talks = createTalks({ conversations, reach: createPeerReach(deps.ask), log });
  const challenges = createChallenges(options, {
    l1: {
      ...l1,
      async rivalries(signal) {
        const found = await l1.rivalries(signal);
        await outcomes.look(found.length, signal);
        for (const rivalry of found) evidence.conversation(rivalry, await heard.get(rivalry.subject.id));
        void evidence.flush();
        return found;
      },
    },
    sender: deps.sender,
    truth,
    prove: machine?.prove ?? (() => missing('prover')),
    requireProver: machine?.requireProver ?? (() => missing('prover')),
    canFinish: machine !== undefined,
    heard,
    talks,
    evidence,
    log,
    now,
  });
  return {
    ...challenges,
    hear: createHearing({ rivalries: () => rivalries, conversations, log }),
    outcomes: outcomes.newest,
    async run(signal) {
      await challenges.run(signal);
      await evidence.flush();
      // Its threads hold the chain database open.
      await machine?.close();
    },
  };
}

function createL1(
  { rollup, chainId, firstL1Block }: OwnChallengesOptions,
  { l1Rpc, calls, book, verdictOf }: OwnChallengesDeps,
  { owner, onRivalries }: { readonly owner: Hex; readonly onRivalries: (found: readonly Rivalry[]) => void },
): ChallengesL1 {
  const find = createFindRivals({ rollup, chainId, firstL1Block }, { rpc: l1Rpc, book, verdictOf });
  const findRefunds = createFindRefunds(l1Rpc);
  let eliminated: Rivals['eliminated'] = [];

  async function ofClock<T>(name: 'time' | 'isFrozen', signal: AbortSignal): Promise<T> {
    const at = await view<Hex>(l1Rpc, { to: rollup, abi: ROLLUP, call: ['freezeClock'] }, signal);
    return view<T>(l1Rpc, { to: at, abi: CLOCK, call: [name] }, signal);
  }

  return {
    async rivalries(signal) {
      const stake = await calls.findStake(owner, signal);
      const found: Rivals = stake === undefined ? { rivalries: [], eliminated: [] } : await find(stake, signal);
      eliminated = found.eliminated;
      onRivalries(found.rivalries);
      return found.rivalries;
    },
    standing: (rivalry, signal) =>
      readStanding({ firstL1Block }, { rpc: l1Rpc, freezeTime: () => ofClock('time', signal) }, { rivalry, signal }),
    isFrozen: (signal) => ofClock('isFrozen', signal),
    encode: encodeEntry,
    async leftovers(signal) {
      const refunds = await findRefunds(
        eliminated.flatMap(({ ended }) => ended),
        signal,
      );
      const backing = eliminated.filter(({ isBacker }) => isBacker);
      const prune = ({ nodeId, stakeId }: (typeof backing)[number]): L1Call => ({
        to: rollup,
        data: ROLLUP.encodeFunctionData('prune', [nodeId, stakeId]) as Hex,
      });
      // The assertion first: what is owed stays owed.
      return [...backing.map(prune), ...refunds];
    },
  };
}

function disputedChain({ sequencerInbox }: OwnChallengesOptions, { l1Rpc, derive }: OwnChallengesDeps): DisputedChain {
  return {
    statesAfter: createStatesAfter(derive, (place) => new NectarError('DISPUTE_STATE_MISSING', place)),
    accumulatorOf: createAccumulatorOf(sequencerInbox, l1Rpc),
  };
}

/** The endpoint's word is enough: the machine opens the accumulator by its hash from what this node has verified. */
export function createAccumulatorOf(sequencerInbox: Hex, rpc: JsonRpc): DisputedChain['accumulatorOf'] {
  return (batch) =>
    view(rpc, { to: sequencerInbox, abi: INBOX, call: ['accumulator', batch] }, AbortSignal.timeout(LOOK_TIMEOUT_MS));
}

interface View {
  readonly to: Hex;
  readonly abi: Interface;
  readonly call: readonly [string, ...unknown[]];
}

async function view<T>(rpc: JsonRpc, { to, abi, call: [name, ...args] }: View, signal: AbortSignal): Promise<T> {
  const data = abi.encodeFunctionData(name, args);
  const answer = await rpc.call('eth_call', [{ to, data }, 'latest'], signal);
  return abi.decodeFunctionResult(name, String(answer))[0] as T;
}

/** Notes what is said when it is said: the challenge may end before the next look. What this node says first is kept nowhere else. */
function witnessed(
  conversations: Conversations,
  heard: Pick<HeardMoves, 'get'>,
  evidence: Pick<ChallengeEvidence, 'conversation' | 'said'>,
): Conversations {
  return {
    async hear(rivalry, message) {
      const reply = await conversations.hear(rivalry, message);
      evidence.conversation(rivalry, await heard.get(rivalry.subject.id));
      return reply;
    },
    async newest(rivalry) {
      const said = await conversations.newest(rivalry);
      if (said?.move.round === 1) evidence.said(rivalry, said);
      return said;
    },
  };
}

async function missing(what: string): Promise<never> {
  throw new NectarError('DISPUTE_MACHINE_MISSING', { what });
}
