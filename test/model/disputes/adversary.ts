import { type Challenge, otherSide, type Parties, type Side } from './challenge.ts';
import type { L1, L1State, Signed } from './l1.ts';
import { falseProof, firstLie, forge, type Liar, nextLie } from './lies.ts';
import type { Plan } from './plan.ts';
import { at, type Random } from './random.ts';
import { childrenOf, confirmableAt, joinEnd, type Node } from './rollup.ts';
import { lastRound, PERIOD_S } from './shape.ts';
import { trueEnd } from './truth.ts';
import { partiesOf } from './validator.ts';

/** What the adversary has of the honest side: its stake, all that it signed, and its ear. */
export interface Target {
  honest(): number;
  readonly signed: Map<string, Signed[]>;
  say(message: { parties: Parties; prev: Signed['move'] | undefined; signed: Signed }): void;
}

const REORG_S = 780;
const MAX_ACTS = 1200;

export class Adversary {
  readonly #l1: L1;
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #target: Target;
  readonly #liar: Liar;
  #acts = 0;
  #joined = 0;
  #snapshot: L1State | undefined;
  #wakeAt = 0;
  reorgs = 0;

  constructor(l1: L1, plan: Plan, { random, target }: { random: Random; target: Target }) {
    [this.#l1, this.#plan, this.#random, this.#target] = [l1, plan, random, target];
    this.#liar = { l1, random, cheat: plan.cheat };
  }

  /** When it acts next: now and then, or in the last second of a clock or a window. On the wall's clock. */
  nextWake(): number {
    return this.#acts >= MAX_ACTS ? Number.POSITIVE_INFINITY : this.#wakeAt;
  }

  #plansWake(): void {
    const { wall, clock, frozenUntil } = this.#l1.state;
    if (this.#snapshot !== undefined && wall - this.#snapshot.wall <= REORG_S) {
      this.#wakeAt = wall + 1 + this.#random.int(REORG_S);
    } else if (this.#random.chance(this.#plan.stall)) {
      const next = Math.min(...this.#instants().filter((time) => time > clock));
      const frozen = Math.max(0, frozenUntil - wall);
      this.#wakeAt = Number.isFinite(next) ? wall + frozen + next - clock : wall + this.#plan.pace;
    } else this.#wakeAt = wall + 1 + this.#random.int(2 * this.#plan.pace);
  }

  /** Times of the freeze clock that matter: the last second of its clocks, the first without those of others, ends of windows. */
  #instants(): number[] {
    const { state, now } = this.#l1;
    const times = [...state.challenges.values()]
      .filter(({ closed }) => !closed)
      .map((record) => {
        const left = this.#l1.left(record);
        return state.clock + (record.parties.staker[record.turn] === this.#target.honest() ? left : left - 1);
      });
    const p = at(state.rollup.nodes, state.rollup.latestConfirmed);
    if (p.windowChildren > 0) times.push(joinEnd(p), confirmableAt(p), p.firstChildAt + PERIOD_S);
    return this.#l1.rules.mutant === 'timeout is early' ? [...times, now + 160_000] : times;
  }

  act(): void {
    this.#acts++;
    if (this.#random.chance(this.#plan.reorg)) this.#snapshot = this.#l1.copyState();
    const late = [...this.#l1.state.challenges.values()].filter((record) => !record.closed);
    for (const record of late) if (this.#mustMove(record)) this.#answer(record);
    if (this.#isWindowEnd()) {
      this.#join();
      this.#throwOrConcede();
    }
    const count = 1 + this.#random.int(3);
    for (let i = 0; i < count; i++) this.#actOnce();
    if (this.#snapshot !== undefined && this.#random.chance(0.3)) this.#reorg();
    this.#plansWake();
  }

  #mustMove(record: Challenge): boolean {
    const isOwn = record.parties.staker[record.turn] !== this.#target.honest();
    return isOwn && (this.#l1.left(record) <= 1 || !this.#random.chance(this.#plan.stall));
  }

  #actOnce(): void {
    const acts: (() => void)[] = [
      () => this.#join(),
      () => this.#join(),
      () => this.#open(),
      () => this.#anyChallenge((record) => this.#jump(record)),
      () => this.#anyChallenge(({ parties }) => this.#l1.timeout(parties)),
      () => this.#talk(),
      () => this.#talk(),
      () => this.#settle(),
      () => this.#throwOrConcede(),
      () => this.#treeCall(),
      () => this.#freeze(),
    ];
    this.#random.pick(acts)();
  }

  /** The guardian's one freeze in 90 days is kept for a broken verifier: without it such a verifier decides. */
  #freeze(): void {
    if (this.#plan.verifier !== 'zk rejects all' && this.#random.chance(this.#plan.freeze)) this.#l1.freeze();
  }

  #reorg(): void {
    const [snapshot, wall] = [this.#snapshot, this.#l1.state.wall];
    this.#snapshot = undefined;
    if (snapshot === undefined || wall - snapshot.wall > REORG_S) return;
    this.#l1.state = snapshot;
    this.#l1.advance(wall - snapshot.wall);
    this.reorgs++;
  }

  #isWindowEnd(): boolean {
    const { rollup, clock } = this.#l1.state;
    const p = at(rollup.nodes, rollup.latestConfirmed);
    return clock === p.firstChildAt + PERIOD_S || clock === joinEnd(p);
  }

  #anyChallenge(use: (record: Challenge) => void): void {
    const open = [...this.#l1.state.challenges.values()];
    if (open.length > 0) use(this.#random.pick(open));
  }

  /** A new stake, on a lie or on the truth, at any depth. */
  #join(): void {
    const { rollup } = this.#l1.state;
    const isEarly = this.#joined > 0 && !this.#isWindowEnd() && this.#random.chance(this.#plan.late);
    if (this.#joined >= this.#plan.rivals || isEarly) return;
    this.#joined++;
    const stake = this.#l1.newStake('liar');
    for (let level = 0; level < this.#plan.levels; level++) {
      const p = at(rollup.nodes, at(rollup.stakes, stake).standsOn);
      const wantsTruth = this.#random.chance(level + 1 < this.#plan.levels ? 0.6 : this.#plan.throws);
      const truth = trueEnd(this.#l1.rules, p.g);
      const others = childrenOf(rollup, p.id).filter((child) => child.g !== truth && child.status === 'live');
      const isNew = others.length === 0 || this.#random.chance(0.5);
      const g = wantsTruth ? truth : isNew ? this.#random.int(2 ** 31) : this.#random.pick(others).g;
      const known = childrenOf(rollup, p.id).find((child) => child.g === g && child.status === 'live');
      const went = known === undefined ? this.#l1.create(stake, g) : this.#l1.back(stake, known.id);
      if (!went) return;
    }
  }

  /** A pair of parties: a liar's stake against the honest one or another liar's. */
  #pair(): Parties | undefined {
    const { nodes } = this.#l1.state.rollup;
    const places = nodes.flatMap((node) => [...node.backers].map((stake): [Node, number] => [node, stake]));
    const own = places.filter(([, stake]) => stake !== this.#target.honest());
    if (own.length === 0) return undefined;
    const one = this.#random.pick(own);
    const honest = places.filter(([node, stake]) => stake === this.#target.honest() && node.parent === one[0].parent);
    const siblings = places.filter(([node, stake]) => node.parent === one[0].parent && stake !== one[1]);
    const others = honest.length > 0 && this.#random.chance(0.6) ? honest : siblings;
    return others.length === 0 ? undefined : partiesOf(one, this.#random.pick(others));
  }

  #open(): void {
    const parties = this.#pair();
    if (parties === undefined) return;
    this.#l1.move(parties, undefined, firstLie(this.#liar, this.#l1.subject(parties)), this.#withholds());
  }

  #withholds = (): boolean => this.#random.chance(this.#plan.cheat * 0.3);

  #answer(record: Challenge): void {
    const { parties, position, turn } = record;
    const next = nextLie(this.#liar, this.#l1.subject(parties), position);
    const prev = { move: position, signer: parties.staker[otherSide(turn)] };
    if (next !== undefined) this.#l1.move(parties, prev, next, this.#withholds());
  }

  /** Its own answer to something that the honest side signed, or did not, of any round. */
  #jump({ parties }: Challenge): void {
    const signed = this.#target.signed.get(parties.id) ?? [];
    const side: Side = parties.staker.O === this.#target.honest() ? 'O' : 'R';
    const round = 1 + (side === 'O' ? 0 : 1) + 2 * this.#random.int(lastRound(this.#l1.rules.shape) / 2);
    const isForged = signed.length === 0 || this.#random.chance(this.#plan.cheat);
    const prev = isForged
      ? { move: forge(this.#liar, parties, round), signer: parties.staker[otherSide(side)] }
      : this.#random.pick(signed);
    const next = nextLie(this.#liar, this.#l1.subject(parties), prev.move);
    if (next !== undefined) this.#l1.move(parties, prev, next);
  }

  /** Off chain: the honest side opens every challenge, or the liar does; messages answer any message that it signed. */
  #talk(): void {
    if (!this.#random.chance(this.#plan.talk)) return;
    const pair = this.#pair();
    if (pair === undefined || pair.staker.R !== this.#target.honest()) return;
    const { nodes } = this.#l1.state.rollup;
    const [own, honest] = [at(nodes, pair.node.O), at(nodes, pair.node.R)];
    const parties = this.#random.chance(0.7) ? partiesOf([honest, pair.staker.R], [own, pair.staker.O]) : pair;
    const subject = this.#l1.subject(parties);
    for (let i = 0; i < lastRound(this.#l1.rules.shape); i++) {
      const signed = this.#target.signed.get(parties.id) ?? [];
      const prev = this.#random.chance(0.7) ? signed.at(-1) : signed[this.#random.int(signed.length + 1)];
      if (prev === undefined && parties !== pair) return;
      const move = prev === undefined ? firstLie(this.#liar, subject) : nextLie(this.#liar, subject, prev.move);
      if (move === undefined || this.#random.chance(0.1)) return;
      this.#target.say({ parties, prev: prev?.move, signed: { move, signer: pair.staker.O } });
    }
  }

  /** Proofs against whatever the honest side signed as responder. */
  #settle(): void {
    const answered = [...this.#l1.state.challenges.values()].filter(
      ({ parties, closed }) => !closed && parties.staker.R === this.#target.honest(),
    );
    if (answered.length === 0) return;
    const { parties } = this.#random.pick(answered);
    const signed = this.#target.signed.get(parties.id) ?? [];
    if (signed.length === 0) return;
    const on = this.#random.chance(0.7) ? at(signed, signed.length - 1) : this.#random.pick(signed);
    for (let i = 0; i < 4; i++) this.#l1.settle(falseProof(this.#liar, parties, on));
  }

  /** One of its own loses on purpose, twice if L1 lets it; or it concedes for the honest side. */
  #throwOrConcede(): void {
    const parties = this.#pair();
    if (parties === undefined) return;
    const by = this.#random.pick(['O', 'R'] as const);
    const isHonest = parties.staker[by] === this.#target.honest();
    if (isHonest ? this.#random.chance(this.#plan.cheat) : this.#random.chance(this.#plan.throws))
      for (let i = 0; i < 2; i++) this.#l1.concede(parties, by, !isHonest);
  }

  #treeCall(): void {
    const { nodes } = this.#l1.state.rollup;
    const node = this.#random.pick(nodes);
    this.#l1.confirm(node.id);
    for (const stake of [...node.backers]) if (this.#random.chance(0.5)) this.#l1.prune(node.id, stake);
  }
}
