import {
  type Challenge,
  challengeId,
  charge,
  clockLeft,
  copyChallenge,
  enter,
  openChallenge,
  otherSide,
  type Parties,
  type Side,
} from './challenge.ts';
import { isCanonical, type Point } from './machine.ts';
import { isOpenersRound, isValid, type Move, type Rules, type Subject, startOf } from './move.ts';
import { at } from './random.ts';
import {
  addStake,
  back,
  confirm,
  copyRollup,
  create,
  createRollup,
  eliminate,
  prune,
  type Rollup,
  type RollupCall,
  returnStake,
} from './rollup.ts';
import { FREEZE_EVERY_S, FREEZE_S, FREEZE_WITH_FIX_S, lastRound } from './shape.ts';

/** A message with what its signature says; L1 sees only whether it is the other's. */
export interface Signed {
  readonly move: Move;
  readonly signer: number;
}

export interface Settlement {
  readonly parties: Parties;
  readonly on: Signed;
  readonly choice: number;
  readonly pre: Point;
  readonly post: Point;
}

/** The verifiers of one step: the proof's, and the one that executes the step on L1. */
export interface Verifiers {
  zk: 'sound' | 'rejects all' | 'accepts all';
  readonly transparent: 'sound' | 'accepts all';
}

const GAS = { first: 190_000, answer: 93_000, jump: 117_000, settle: 144_000 + 817_000 };

/** L1 as the dispute sees it: Rollup, ChallengeManager, guardian, timelock. Calls return whether they went through. */
export interface L1State {
  /** Seconds since the start, and the freeze clock, which stands still in a freeze. */
  wall: number;
  clock: number;
  frozenUntil: number;
  lastFreeze: number;
  fixedAt: number;
  /** When open challenges were void, on the freeze clock. */
  voidedAt: number;
  readonly rollup: Rollup;
  readonly challenges: Map<string, Challenge>;
  /** Spent seconds by staker, for the mutant with one clock. */
  readonly spent: Map<number, number>;
}

export class L1 {
  readonly rules: Rules;
  readonly verifiers: Verifiers;
  state: L1State;

  constructor(rules: Rules, verifiers: Verifiers, genesis: number) {
    this.rules = rules;
    this.verifiers = verifiers;
    const times = {
      wall: 0,
      clock: 0,
      frozenUntil: 0,
      lastFreeze: Number.NEGATIVE_INFINITY,
      fixedAt: 0,
      voidedAt: Number.NEGATIVE_INFINITY,
    };
    this.state = { ...times, rollup: createRollup(genesis), challenges: new Map(), spent: new Map() };
  }

  copyState(): L1State {
    const { rollup, challenges, spent } = this.state;
    const records = new Map([...challenges].map(([id, record]) => [id, copyChallenge(record)]));
    return { ...this.state, rollup: copyRollup(rollup), challenges: records, spent: new Map(spent) };
  }

  get isFrozen(): boolean {
    return this.state.wall < this.state.frozenUntil;
  }

  /** The time by which challenges count. */
  get now(): number {
    return this.rules.mutant === 'clocks run in a freeze' ? this.state.wall : this.state.clock;
  }

  get call(): RollupCall {
    return { rollup: this.state.rollup, now: this.state.clock, mutant: this.rules.mutant };
  }

  advance(seconds: number): void {
    const { state } = this;
    const frozen = Math.min(seconds, Math.max(0, state.frozenUntil - state.wall));
    state.wall += seconds;
    state.clock += seconds - frozen;
    if (state.fixedAt > 0 && state.wall >= state.fixedAt) this.#fix();
  }

  /** The timelock executes: the new verifier, and the open challenges are void, so that they begin again under it. */
  #fix(): void {
    this.state.fixedAt = 0;
    this.state.voidedAt = this.state.clock;
    this.state.frozenUntil = Math.min(this.state.frozenUntil, this.state.wall);
    this.verifiers.zk = 'sound';
    for (const [id, record] of this.state.challenges) if (!record.closed) this.state.challenges.delete(id);
  }

  /** The guardian; with a fix queued in the timelock, until that executes. */
  freeze(fixAfter?: number): boolean {
    const { state } = this;
    if (state.wall < state.lastFreeze + FREEZE_EVERY_S) return false;
    state.lastFreeze = state.wall;
    if (fixAfter !== undefined) state.fixedAt = state.wall + fixAfter;
    state.frozenUntil = state.wall + (fixAfter === undefined ? FREEZE_S : Math.min(fixAfter, FREEZE_WITH_FIX_S));
    return true;
  }

  newStake = (owner: 'honest' | 'liar'): number => addStake(this.state.rollup, owner);
  create = (stake: number, g: number): boolean => create(this.call, stake, g);
  back = (stake: number, node: number): boolean => back(this.call, stake, node);
  prune = (node: number, stake: number): boolean => prune(this.call, node, stake);
  confirm = (node: number): boolean => !this.isFrozen && confirm(this.call, node);
  returnStake = (stake: number): boolean => returnStake(this.call, stake);

  /** Rivals: two live stakers who back different children of the same node. */
  #maySue({ id, parent, node, end, staker }: Parties): boolean {
    const { nodes, stakes } = this.state.rollup;
    const isDistinct = node.O !== node.R || this.rules.mutant === 'rivals on one node';
    if (this.isFrozen || !isDistinct || id !== challengeId({ parent, node, end, staker })) return false;
    return (['O', 'R'] as const).every((side) => {
      const child = nodes[node[side]];
      if (child === undefined || stakes[staker[side]] === undefined) return false;
      const isLive = at(stakes, staker[side]).state === 'live' || this.rules.mutant === 'dead stakers play';
      return isLive && child.parent === parent && child.g === end[side] && child.backers.has(staker[side]);
    });
  }

  /** The record; a closed one is no place for any call. */
  #isClosed = (id: string): boolean => this.state.challenges.get(id)?.closed === true;

  subject({ id, parent, node }: Parties): Subject {
    const { nodes } = this.state.rollup;
    return { challenge: id, start: at(nodes, parent).g, end: at(nodes, node.O).g };
  }

  /** A move: the first, the answer to the stored position, or the answer to what the other signed. */
  move(parties: Parties, prev: Signed | undefined, move: Move, isWithheld = false): boolean {
    if (!this.#maySue(parties) || this.#isClosed(parties.id)) return false;
    if (isWithheld && this.rules.mutant !== 'points are withheld') return false;
    if (!isValid(this.rules, this.subject(parties), prev?.move, move)) return false;
    const mover: Side = isOpenersRound(move.round) ? 'O' : 'R';
    const isSigned =
      prev?.signer === parties.staker[otherSide(mover)] || this.rules.mutant === 'prev needs no signature';
    const record = this.state.challenges.get(parties.id);
    if (record === undefined) {
      if (prev !== undefined && !isSigned) return false;
      this.state.challenges.set(parties.id, { ...openChallenge(parties, move, this.now), withheld: isWithheld });
      return this.#credit(parties, mover, GAS.first);
    }
    if (prev === undefined) return false;
    const isStored = prev.move.hash === record.position.hash;
    const grows = prev.move.round > record.position.round || this.rules.mutant === 'rounds may shrink';
    if (!isStored && !(grows && isSigned)) return false;
    if (!this.#charge(record)) return false;
    enter(record, move, this.rules);
    record.withheld = isWithheld;
    return this.#credit(parties, mover, isStored ? GAS.answer : GAS.jump);
  }

  #charge(record: Challenge): boolean {
    const { turn, since, parties } = record;
    if (this.rules.mutant === 'clocks of stakers') {
      const spent = (this.state.spent.get(parties.staker[turn]) ?? 0) + this.now - since;
      if (spent >= record.clock[turn]) return false;
      this.state.spent.set(parties.staker[turn], spent);
      record.since = this.now;
      return true;
    }
    return charge(record, this.now, this.rules.mutant);
  }

  #credit({ staker }: Parties, mover: Side, gas: number): true {
    const { credits } = at(this.state.rollup.stakes, staker[otherSide(mover)]);
    credits.set(staker[mover], (credits.get(staker[mover]) ?? 0) + gas * this.rules.gasPrice);
    return true;
  }

  #close(parties: Parties, winner: Side): true {
    const record = this.state.challenges.get(parties.id);
    if (record !== undefined) record.closed = true;
    const { staker } = parties;
    eliminate(this.call, staker[winner], staker[otherSide(winner)]);
    return true;
  }

  settle({ parties, on, choice, pre, post }: Settlement): boolean {
    const { rules } = this;
    const { mutant } = rules;
    if (!this.#maySue(parties) || this.#isClosed(parties.id) || on.move.challenge !== parties.id) return false;
    const record = this.state.challenges.get(parties.id);
    const isStored = record !== undefined && record.position.hash === on.move.hash;
    if (!isStored && on.signer !== parties.staker.R) return false;
    if (on.move.round !== lastRound(rules.shape) && mutant !== 'settle in any round') return false;
    if (pre !== startOf(on.move, choice) && mutant !== 'pre-state is free') return false;
    if (!(isCanonical(pre) && isCanonical(post)) && mutant !== 'core above the modulus') return false;
    if (!this.#isProven(pre, post)) return false;
    if (post === on.move.points[choice] && mutant !== 'post-state may agree') return false;
    if (record?.turn === 'O' && !this.#charge(record)) return false;
    this.#credit(parties, 'O', GAS.settle);
    return this.#close(parties, 'O');
  }

  #isProven(pre: Point, post: Point): boolean {
    const { zk, transparent } = this.verifiers;
    const isTrue = post.replace('~', '') === this.rules.machine.step(pre);
    const accepts = (verifier: string): boolean => verifier === 'accepts all' || (verifier === 'sound' && isTrue);
    return accepts(zk) && (this.rules.mutant === 'one verifier' || accepts(transparent));
  }

  timeout(parties: Parties): boolean {
    const record = this.state.challenges.get(parties.id);
    if (record === undefined || record.closed || !this.#maySue(parties)) return false;
    let clock = record.clock[record.turn];
    if (this.rules.mutant === 'timeout is early') clock /= 2;
    if (this.rules.mutant === 'clocks of stakers') clock -= this.state.spent.get(parties.staker[record.turn]) ?? 0;
    if (this.now - record.since < clock) return false;
    return this.#close(parties, otherSide(record.turn));
  }

  /** A concession signed by the party `by`; `isSigned` is false for one that nobody signed. */
  concede(parties: Parties, by: Side, isSigned: boolean): boolean {
    if (!this.#maySue(parties) || this.#isClosed(parties.id)) return false;
    if (!isSigned && this.rules.mutant !== 'anyone concedes') return false;
    return this.#close(parties, otherSide(by));
  }

  /** What is left of the clock of whose turn it is. */
  left(record: Challenge): number {
    const spent =
      this.rules.mutant === 'clocks of stakers' ? (this.state.spent.get(record.parties.staker[record.turn]) ?? 0) : 0;
    return clockLeft(record, this.now) - spent;
  }
}
