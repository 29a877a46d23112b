import type { L1Sender } from '../../../../../appliance/rollup/batcher/l1-sender.ts';
import type { ChallengesL1 } from '../../../../../appliance/rollup/challenge/challenges.ts';
import type { Entry } from '../../../../../appliance/rollup/challenge/entries.ts';
import type { Rivalry } from '../../../../../appliance/rollup/challenge/rivalry.ts';
import { verifyMoveSignature } from '../../../../../appliance/rollup/challenge/sign-move.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { stateHash } from '../../../../../protocol/dispute/machine-state.ts';
import {
  type Move,
  moveHash,
  NO_MOVE,
  type Openings,
  pointAt,
  startBefore,
} from '../../../../../protocol/dispute/move.ts';
import { LAST_ROUND, otherSide, type Side, sideOfRound } from '../../../../../protocol/dispute/rounds.ts';
import { verifyMove } from '../../../../../protocol/dispute/verify-move.ts';
import { bytesToHex } from '../../../../../protocol/rollup/bytes.ts';
import { hashOf } from '../../../protocol/dispute/samples.ts';
import { CONFIG_HASH, knownRuns, TARGET } from './toy-machine.ts';

const CLOCK_S = 302_400;
const ENTRY_S = 10_800;
const TRACE_ENTRY_S = 21_600;

interface Record {
  readonly position: Move;
  readonly since: number;
  readonly clock: { readonly [S in Side]: number };
  readonly winner: Side | undefined;
}

/** The L1 state table of docs/design/0034 over real messages and signatures. Only true steps are proven. */
export class L1Double {
  now = 1_000_000;
  frozen = false;
  records = new Map<Hex, Record>();
  readonly log: string[] = [];

  /** Throws where the contract reverts. */
  enter(entry: Entry): void {
    const { rivalry } = entry;
    const { id } = rivalry.subject;
    const record = this.records.get(id);
    if (this.frozen || record?.winner !== undefined) throw new Error('reverted');
    if (entry.kind === 'open') {
      if (record !== undefined) throw new Error('it is open');
      verifyMove(rivalry.subject, { prev: undefined, move: entry.move, openings: undefined, task: undefined });
      this.records.set(id, {
        position: entry.move,
        since: this.now,
        clock: { O: CLOCK_S, R: CLOCK_S },
        winner: undefined,
      });
    } else if (entry.kind === 'answer') this.#answer(entry, record);
    else if (entry.kind === 'settle') this.#settle(entry, record);
    else this.#timeout(record, rivalry);
    this.log.push(`${rivalry.side} ${entry.kind}${'move' in entry ? ` ${entry.move.round}` : ''}`);
  }

  winnerOf = (id: Hex): Side | undefined => this.records.get(id)?.winner;

  isTurnOf(id: Hex | undefined, side: Side): boolean {
    const record = id && this.records.get(id);
    return record !== undefined && record.winner === undefined && turnOf(record) === side;
  }

  #answer({ rivalry, on, move, openings }: Entry & { kind: 'answer' }, record: Record | undefined): void {
    const mover = this.#answered(rivalry, on, record);
    if (mover !== sideOfRound(move.round)) throw new Error('not its round');
    verifyMove(rivalry.subject, { prev: on.move, move, openings, task: openings && taskOf(openings) });
    const clock = record === undefined ? { O: CLOCK_S, R: CLOCK_S } : this.#charge(record);
    const next = otherSide(mover);
    const least = move.round === 4 ? TRACE_ENTRY_S : ENTRY_S;
    const raised = { ...clock, [next]: Math.max(clock[next], least) };
    this.records.set(rivalry.subject.id, { position: move, since: this.now, clock: raised, winner: undefined });
  }

  #settle(
    { rivalry, on, choice, witness: { pre, post } }: Entry & { kind: 'settle' },
    record: Record | undefined,
  ): void {
    this.#answered(rivalry, on, record);
    if (on.move.round !== LAST_ROUND || rivalry.side !== 'O') throw new Error('not the last round');
    const [before, after] = [bytesToHex(stateHash(pre)), bytesToHex(stateHash(post))];
    if (before !== startBefore(on.move, choice) || after === pointAt(on.move.points, choice))
      throw new Error('nothing is shown');
    if (!isTrueStep(before, after)) throw new Error('the proof is refused');
    if (record !== undefined && sideOfRound(record.position.round) === 'R') this.#charge(record);
    const last = record ?? { position: on.move, since: this.now, clock: { O: 0, R: 0 } };
    this.records.set(rivalry.subject.id, { ...last, winner: 'O' });
  }

  #timeout(record: Record | undefined, { subject }: Rivalry): void {
    if (record === undefined) throw new Error('no record');
    const turn = turnOf(record);
    if (record.clock[turn] > this.now - record.since) throw new Error('there is time left');
    this.records.set(subject.id, { ...record, winner: otherSide(turn) });
  }

  /** Who may answer the message: it is the position, or the other signed it and it is higher. */
  #answered(rivalry: Rivalry, { move, signature }: { move: Move; signature: Hex }, record: Record | undefined): Side {
    const { domain } = rivalry.subject;
    const mover = otherSide(sideOfRound(move.round));
    if (mover !== rivalry.side) throw new Error('not the caller');
    if (record !== undefined && moveHash(domain, record.position) === moveHash(domain, move)) return mover;
    if (record !== undefined && move.round <= record.position.round) throw new Error('lower');
    verifyMoveSignature(domain, { move, openings: undefined, signature }, rivalry.parties[otherSide(mover)].signer);
    return mover;
  }

  #charge(record: Record): { readonly [S in Side]: number } {
    const turn = turnOf(record);
    const left = record.clock[turn] - (this.now - record.since);
    if (left <= 0) throw new Error('the clock is out');
    return { ...record.clock, [turn]: left };
  }
}

export interface PlayedL1 {
  readonly l1: ChallengesL1;
  readonly sender: L1Sender;
}

/** L1 as one party's node sees it. Every sent call is mined at once, unless `lose` says so. */
export function seenBy(
  double: L1Double,
  rivalries: () => readonly Rivalry[],
  lose: () => boolean = () => false,
): PlayedL1 {
  const calls = new Map<Hex, Entry>();
  let nonce = 0n;
  return {
    l1: {
      rivalries: async () => rivalries(),
      isFrozen: async () => double.frozen,
      leftovers: async () => [],
      standing: async ({ subject }) => {
        const record = double.records.get(subject.id);
        if (record === undefined) return 'none';
        if (record.winner !== undefined) return 'closed';
        const turn = turnOf(record);
        return { position: record.position, turn, leftS: BigInt(record.clock[turn] - (double.now - record.since)) };
      },
      encode: (entry) => {
        const data = hashOf(`call ${calls.size}`);
        calls.set(data, entry);
        return { to: entry.rivalry.subject.domain.challengeManager, data };
      },
    },
    sender: {
      async send(call) {
        const entry = calls.get(call.data);
        if (entry === undefined) throw new Error('no such call');
        if (!lose()) double.enter(entry);
        return { call, nonce: nonce++, gasLimit: 0n, fees: { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n } };
      },
      bump: async () => true,
      standing: async () => 'used',
    },
  };
}

function turnOf({ position }: Record): Side {
  return otherSide(sideOfRound(position.round));
}

function taskOf({ before }: Openings) {
  const accumulator = before.batch === TARGET ? NO_MOVE : hashOf(`accumulator ${before.batch}`);
  return { target: TARGET, accumulator, configHash: CONFIG_HASH };
}

function isTrueStep(before: Hex, after: Hex): boolean {
  for (const { states } of knownRuns()) {
    const at = states.findIndex((state) => bytesToHex(stateHash(state)) === before);
    if (at < 0) continue;
    const next = states[Math.min(at + 1, states.length - 1)];
    return next !== undefined && bytesToHex(stateHash(next)) === after;
  }
  return false;
}
