import { setTimeout as delay } from 'node:timers/promises';
import type { Hex } from '../../../protocol/brand.ts';
import type { Side } from '../../../protocol/dispute/rounds.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { L1Call, L1Sender, Outgoing } from '../batcher/l1-sender.ts';
import { type Entry, type EntryDeps, makeEntry } from './entries.ts';
import { type Conversation, type HeardMoves, highestHeard } from './heard-moves.ts';
import { type ChallengeAction, nextAction } from './next-action.ts';
import type { ChallengeRecord, ChallengeStanding, Rivalry } from './rivalry.ts';

/** What L1 says of the challenges of the own stake, and how to tell it something. */
export interface ChallengesL1 {
  /** One for each direction of each pair of the own stake with a living rival. */
  rivalries(signal: AbortSignal): Promise<readonly Rivalry[]>;
  standing(rivalry: Rivalry, signal: AbortSignal): Promise<ChallengeStanding>;
  isFrozen(signal: AbortSignal): Promise<boolean>;
  encode(entry: Entry): L1Call;
  /** Calls that take eliminated stakes off what they backed, which counts as a living rival until then, and that refund entries against them. */
  leftovers(signal: AbortSignal): Promise<readonly L1Call[]>;
}

/** The talk with an opponent off chain, in the background. */
export interface Talks {
  /** Whether the opponent says where to be reached. */
  canReach(rivalry: Rivalry): boolean;
  /** Goes on talking, unless it does so already; resolves when the talk has ended, and never rejects. */
  keepTalking(rivalry: Rivalry, signal: AbortSignal): Promise<void>;
}

/** What has to be on record of what is done here. */
export interface Evidence {
  alarm(state: ChallengeState): void;
  /** An entry that was sent, with its account's nonce. */
  entry(entry: Entry, nonce: bigint): void;
}

export interface ChallengesDeps extends EntryDeps {
  readonly l1: ChallengesL1;
  readonly sender: L1Sender;
  readonly heard: HeardMoves;
  readonly talks: Talks;
  readonly evidence: Evidence;
  readonly log: Logger;
  readonly now: () => number;
}

/** A challenge as people see it. */
export interface ChallengeState {
  readonly id: Hex;
  readonly side: Side;
  readonly opponent: Hex;
  readonly onL1: 'none' | 'closed' | 'open';
  readonly round: number;
  /** Whose turn it is on L1, and what is left of that clock in seconds. */
  readonly turn: Side | undefined;
  readonly leftS: bigint | undefined;
  readonly heardRound: number;
  readonly next: ChallengeAction['kind'];
  /** Less than a day is left on the own clock, or it is out. */
  readonly isUrgent: boolean;
  /** Why the last try to act came to nothing. */
  readonly waiting: string | undefined;
}

/** Plays every challenge of the own stake by the validator's table. */
export interface Challenges {
  state(): readonly ChallengeState[];
  /** Looks at all once, and puts at most one entry on L1: the one whose clock has least left. Never throws. */
  tick(signal: AbortSignal): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

export interface ChallengesOptions {
  readonly pollMs: number;
  /** A transaction that is not mined after so long is offered more for. */
  readonly resubmitMs: number;
}

/** One challenge as it was looked at. */
interface Looked {
  readonly rivalry: Rivalry;
  readonly standing: ChallengeStanding;
  readonly record: ChallengeRecord | undefined;
  readonly conversation: Conversation | undefined;
  readonly action: ChallengeAction;
}

interface Flight {
  readonly outgoing: Outgoing;
  sentAt: number;
}

/** What failed is not tried again at once: tracing and proving are dear. */
const RETRY_MS = 60_000;

export function createChallenges({ pollMs, resubmitMs }: ChallengesOptions, deps: ChallengesDeps): Challenges {
  const { l1, sender, heard, talks, log, now } = deps;
  const failures = new Map<Hex, { readonly at: number; readonly reason: string }>();
  const alarmed = new Set<string>();
  let states: readonly ChallengeState[] = [];
  let flight: Flight | undefined;
  let failing = false;

  async function look(rivalry: Rivalry, isFrozen: boolean, signal: AbortSignal): Promise<Looked> {
    const { id } = rivalry.subject;
    const standing = await l1.standing(rivalry, signal);
    const record = typeof standing === 'string' ? undefined : standing;
    // Only who opens has a time to talk.
    const conversation =
      rivalry.side === 'O' && standing === 'none' ? await heard.begin(id, now()) : await heard.get(id);
    const action = nextAction({
      side: rivalry.side,
      isFrozen,
      onL1: typeof standing === 'string' ? standing : { ...standing, round: standing.position.round },
      heardRound: highestHeard(conversation)?.move.round,
      canTalk: deps.canFinish && talks.canReach(rivalry),
      talk: { since: conversation?.since ?? now(), heardAt: conversation?.heardAt },
      now: now(),
    });
    return { rivalry, standing, record, conversation, action };
  }

  function describe({ rivalry, standing, record, conversation, action }: Looked): ChallengeState {
    const { id } = rivalry.subject;
    return {
      id,
      side: rivalry.side,
      opponent: rivalry.parties[rivalry.side === 'O' ? 'R' : 'O'].owner,
      onL1: typeof standing === 'string' ? standing : 'open',
      round: record?.position.round ?? 0,
      turn: record?.turn,
      leftS: record?.leftS,
      heardRound: highestHeard(conversation)?.move.round ?? 0,
      next: action.kind,
      isUrgent: action.kind === 'lost' || ('isUrgent' in action && action.isUrgent),
      waiting: failures.get(id)?.reason,
    };
  }

  /** Once per round and start of the node. */
  function alarm(state: ChallengeState): void {
    const key = `${state.id}/${state.round}/${state.next}`;
    if (!state.isUrgent || alarmed.has(key)) return;
    alarmed.add(key);
    deps.evidence.alarm(state);
    const { id, side, round, leftS, opponent } = state;
    log.error(
      { challenge: id, side, round, leftS, opponent },
      state.next === 'lost' ? 'the clock of a challenge has run out' : 'the clock of a challenge runs out',
    );
  }

  /** True when an entry is on its way to L1. */
  async function act({ rivalry, record, conversation, action }: Looked, signal: AbortSignal): Promise<boolean> {
    const { id } = rivalry.subject;
    if (action.kind === 'talk') void talks.keepTalking(rivalry, signal);
    const failed = failures.get(id);
    if (failed !== undefined && now() - failed.at < RETRY_MS) return false;
    try {
      const entry = await makeEntry(deps, { rivalry, action }, { record, heard: highestHeard(conversation) });
      if (entry === undefined) return false;
      flight = { outgoing: await sender.send(l1.encode(entry), signal), sentAt: now() };
      deps.evidence.entry(entry, flight.outgoing.nonce);
      failures.delete(id);
      log.info({ challenge: id, entry: entry.kind, round: roundOf(entry) }, 'an entry of a challenge goes to L1');
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const reason = error instanceof NectarError ? error.message : 'internal error';
      if (failed?.reason !== reason)
        log[isNectarError(error) ? 'warn' : 'error'](
          { err: error, challenge: id },
          'an entry of a challenge is not made',
        );
      failures.set(id, { at: now(), reason });
      return false;
    }
  }

  async function clear(call: L1Call, signal: AbortSignal): Promise<boolean> {
    try {
      flight = { outgoing: await sender.send(call, signal), sentAt: now() };
      return true;
    } catch (error) {
      // Anybody may have done it meanwhile.
      log.debug({ err: error }, 'L1 refuses what follows from an eliminated stake');
      return false;
    }
  }

  /** True while a sent entry waits to be mined. What a reorg takes back is decided anew. */
  async function pursue({ outgoing, sentAt }: Flight, signal: AbortSignal): Promise<boolean> {
    if ((await sender.standing(outgoing, signal)) !== 'next') return false;
    if (now() - sentAt >= resubmitMs) {
      flight = { outgoing, sentAt: now() };
      if (!(await sender.bump(outgoing, signal)))
        log.warn({ nonce: outgoing.nonce }, 'an entry of a challenge waits at the limit of its fee');
    }
    return true;
  }

  async function lookAtAll(signal: AbortSignal): Promise<void> {
    const rivalries = await l1.rivalries(signal);
    await heard.keepOnly(new Set(rivalries.map(({ subject }) => subject.id)), now());
    const isFrozen = rivalries.length > 0 && (await l1.isFrozen(signal));
    const looked: Looked[] = [];
    for (const rivalry of rivalries) looked.push(await look(rivalry, isFrozen, signal));
    states = looked.map(describe);
    states.forEach(alarm);
    if (flight !== undefined && (await pursue(flight, signal))) return;
    flight = undefined;
    for (const one of looked.toSorted(byClock)) if (await act(one, signal)) return;
    for (const call of await l1.leftovers(signal)) if (await clear(call, signal)) return;
  }

  async function tick(signal: AbortSignal): Promise<void> {
    try {
      await lookAtAll(signal);
      failing = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!failing)
        log[error instanceof NectarError ? 'info' : 'error']({ err: error }, 'challenges cannot be followed now');
      failing = true;
    }
  }

  return {
    state: () => states,
    tick,
    async run(signal) {
      while (!signal.aborted) {
        await tick(signal);
        await delay(pollMs, undefined, { signal }).catch(() => {});
      }
    },
  };
}

/** The own clock that has least left comes first, then what has no clock yet. */
function byClock(a: Looked, b: Looked): number {
  const left = ({ rivalry, record }: Looked): number =>
    record !== undefined && record.turn === rivalry.side ? Number(record.leftS) : Number.MAX_SAFE_INTEGER;
  return left(a) - left(b);
}

function roundOf(entry: Entry): number | undefined {
  return 'move' in entry ? entry.move.round : undefined;
}
