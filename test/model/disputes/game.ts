import { Adversary, type Target } from './adversary.ts';
import type { Parties } from './challenge.ts';
import { createWatch, findViolation, isOver, share, type Watch } from './checks.ts';
import { L1, type Signed, type Verifiers } from './l1.ts';
import { createMachine } from './machine.ts';
import type { Mutant } from './mutants.ts';
import type { Plan } from './plan.ts';
import { at, createRandom, type Random } from './random.ts';
import { ENTRY_S, JOIN_S, SHAPES, TRACE_ENTRY_S } from './shape.ts';
import { type Action, decide, hear, joinDeadline, type Memory, NoAnswer, reply } from './validator.ts';

export interface Outcome {
  /** The broken promise; undefined when the honest side won all. */
  readonly violation: string | undefined;
  readonly watch: Watch;
  readonly events: number;
  readonly honestMoves: number;
  readonly reorgs: number;
}

const CENSORED_S = 3 * 86_400;
/** L1 reorgs of 13 minutes are in the game: who answers later than so long before the end of its clock may lose the answer. */
const REORG_MARGIN_S = 1800;
const MAX_EVENTS = 30_000;
const FIX_S = 30 * 86_400;

export class Game {
  readonly #plan: Plan;
  readonly #l1: L1;
  readonly #random: Random;
  readonly #memory: Memory;
  readonly #adversary: Adversary;
  readonly #watch = createWatch();
  readonly #signed = new Map<string, Signed[]>();
  /** What the honest side is about to send: when it arrives on L1. */
  readonly #pending = new Map<
    string,
    { readonly due: number; readonly action: Action; readonly waitsForThaw?: boolean }
  >();
  readonly #computed = new Set<string>();
  readonly #censored = new Map<string, number>();
  #honestMoves = 0;

  constructor(plan: Plan, mutant: Mutant | undefined) {
    this.#plan = plan;
    this.#random = createRandom(plan.seed);
    const shape = at(SHAPES, plan.shape);
    const rules = { shape, machine: createMachine(plan.seed, shape), mutant, gasPrice: plan.gasPrice };
    this.#l1 = new L1(rules, verifiersOf(plan), this.#random.int(2 ** 31));
    const stake = this.#l1.newStake('honest');
    const { honestAssertsAt: assertsAt, levels } = plan;
    const heard = { received: new Map(), firstSeen: new Map(), lastHeard: new Map() };
    this.#memory = { stake, assertsAt, levels, ...heard };
    const say: Target['say'] = (message) => this.#hear(message);
    const memory = this.#memory;
    const target = { honest: () => memory.stake, signed: this.#signed, say };
    this.#adversary = new Adversary(this.#l1, plan, {
      random: this.#random,
      target,
    });
  }

  play(): Outcome {
    let events = 0;
    let violation: string | undefined;
    try {
      while (violation === undefined && !isOver(this.#l1)) {
        if (++events > MAX_EVENTS) violation = 'the game does not end';
        else violation = this.#event() ?? findViolation(this.#l1, this.#watch);
      }
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      violation = 'the honest side has no answer';
    }
    const { reorgs } = this.#adversary;
    return { violation, watch: this.#watch, events, honestMoves: this.#honestMoves, reorgs };
  }

  #event(): string | undefined {
    const { state } = this.#l1;
    // Which stake is the own one is for L1 to say: a reorg takes a new one back, and gives its number to somebody else.
    this.#memory.stake = state.rollup.stakes.findLastIndex(
      ({ owner, state }) => owner === 'honest' && state !== 'returned',
    );
    const decision = decide(this.#l1, this.#memory);
    this.#schedule(decision.actions);
    const frozen = Math.max(0, state.frozenUntil - state.wall);
    const honest = Math.min(
      ...[...this.#pending.values()].map(({ due }) => due),
      state.wall + frozen + decision.wakeAt - state.clock,
      state.fixedAt > 0 ? state.fixedAt : Number.POSITIVE_INFINITY,
    );
    const adversary = this.#adversary.nextWake();
    const next = Math.min(honest, adversary);
    if (!Number.isFinite(next)) return 'nothing happens any more';
    this.#l1.advance(Math.max(0, next - state.wall));
    if (adversary <= honest) this.#adversaryActs();
    else this.#send();
    return undefined;
  }

  #adversaryActs(): void {
    this.#adversary.act();
    if (this.#random.chance(this.#plan.crash)) this.#memory.received.clear();
  }

  #schedule(actions: readonly Action[]): void {
    const { wall } = this.#l1.state;
    const keyed = new Map(actions.map((action) => [keyOf(action), action]));
    for (const key of this.#pending.keys()) if (!keyed.has(key)) this.#pending.delete(key);
    for (const [key, action] of keyed) {
      const known = this.#pending.get(key);
      // A reorg may take the freeze back that it waits for.
      const isScheduled = known !== undefined && !(known.waitsForThaw && !this.#l1.isFrozen);
      this.#pending.set(key, isScheduled ? { ...known, action } : { due: wall + this.#delay(key, action), action });
    }
  }

  /** How long an action takes to arrive: the validator's work, and censorship as far as the page says that it is borne. */
  #delay(key: string, action: Action): number {
    const { random, plan } = { random: this.#random, plan: this.#plan };
    if (action.kind === 'create' || action.kind === 'back') return this.#joinDelay();
    if (action.kind !== 'move' && action.kind !== 'settle') return 12;
    if (this.#computed.has(key)) return 60;
    this.#computed.add(key);
    const { parties } = action.kind === 'move' ? action : action.settlement;
    const record = this.#l1.state.challenges.get(parties.id);
    if (record === undefined) return 60;
    const { shape } = this.#l1.rules;
    const isTraced = record.position.round === shape.iterationRounds;
    const work = Math.floor(share(random, plan.work) * ((isTraced ? TRACE_ENTRY_S : ENTRY_S) - REORG_MARGIN_S));
    const budget = CENSORED_S - (this.#censored.get(parties.id) ?? 0);
    const spare =
      record.parties.staker[record.turn] === this.#memory.stake ? this.#l1.left(record) - work - ENTRY_S : 0;
    const censored = Math.floor(share(random, plan.censor) * Math.max(0, Math.min(budget, spare)));
    this.#censored.set(parties.id, (this.#censored.get(parties.id) ?? 0) + censored);
    return work + censored;
  }

  /** Less than a day, and in time for every window ahead: who stands some nodes behind steps more than once in one window. */
  #joinDelay(): number {
    const most = Math.min(JOIN_S, joinDeadline(this.#l1, this.#memory) - this.#l1.state.clock) - 2 * REORG_MARGIN_S;
    return Math.floor(share(this.#random, this.#plan.censor) * Math.max(0, most));
  }

  #send(): void {
    const { wall } = this.#l1.state;
    for (const [key, { due, action }] of [...this.#pending]) {
      if (due > wall) continue;
      this.#pending.delete(key);
      this.#computed.add(key);
      if (this.#execute(action) || !this.#l1.isFrozen) continue;
      this.#pending.set(key, { due: this.#l1.state.frozenUntil + 1, action, waitsForThaw: true });
    }
  }

  #execute(action: Action): boolean {
    const l1 = this.#l1;
    switch (action.kind) {
      case 'restake':
        if (!l1.returnStake(this.#memory.stake)) return false;
        this.#memory.stake = l1.newStake('honest');
        return true;
      case 'create':
        return l1.create(this.#memory.stake, action.g);
      case 'back':
        return l1.back(this.#memory.stake, action.node);
      case 'confirm':
        return l1.confirm(action.node);
      case 'prune':
        return l1.prune(action.node, action.stake);
      case 'timeout':
        return l1.timeout(action.parties);
      case 'settle':
        return l1.settle(action.settlement) || this.#asksForFreeze();
      case 'move':
        return this.#move(action);
    }
  }

  #move({ parties, prev, move }: Action & { kind: 'move' }): boolean {
    const record = this.#l1.state.challenges.get(parties.id);
    const left = record === undefined ? Number.POSITIVE_INFINITY : this.#l1.left(record);
    this.#sign(parties, move);
    if (!this.#l1.move(parties, prev, move)) return false;
    this.#honestMoves++;
    this.#watch.leastLeftS = Math.min(this.#watch.leastLeftS, left);
    return true;
  }

  /** A verifier that refuses a true proof: the guardian freezes until the queued fix. */
  #asksForFreeze(): boolean {
    return this.#l1.verifiers.zk === 'rejects all' && !this.#l1.isFrozen && this.#l1.freeze(FIX_S);
  }

  #sign(parties: Parties, move: Signed['move']): void {
    const list = this.#signed.get(parties.id) ?? [];
    if (!list.some(({ move: { hash } }) => hash === move.hash)) list.push({ move, signer: this.#memory.stake });
    this.#signed.set(parties.id, list);
  }

  /** A message off chain: answered at once, as long as the two talk. */
  #hear(message: Parameters<typeof hear>[2]): void {
    const { parties } = message;
    if (this.#l1.state.challenges.has(parties.id)) return;
    if (message.prev === undefined) this.#memory.firstSeen.set(parties.id, this.#l1.state.wall);
    if (!hear(this.#l1, this.#memory, message)) return;
    const action = reply(this.#l1, parties, message.signed);
    if (action.kind === 'move') this.#sign(parties, action.move);
  }
}

function verifiersOf({ verifier }: Plan): Verifiers {
  if (verifier === 'zk rejects all') return { zk: 'rejects all', transparent: 'sound' };
  if (verifier === 'zk accepts all') return { zk: 'accepts all', transparent: 'sound' };
  return { zk: 'sound', transparent: verifier === 'second accepts all' ? 'accepts all' : 'sound' };
}

function keyOf(action: Action): string {
  switch (action.kind) {
    case 'restake':
      return 'restake';
    case 'create':
    case 'back':
      return 'join';
    case 'prune':
      return `prune ${action.node} ${action.stake}`;
    case 'move':
      return `move ${action.parties.id} ${action.move.hash}`;
    case 'settle':
      return `settle ${action.settlement.parties.id} ${action.settlement.on.move.hash}`;
    case 'timeout':
      return `timeout ${action.parties.id}`;
    default:
      return `${action.kind} ${action.node}`;
  }
}

export const play = (plan: Plan, mutant?: Mutant): Outcome => new Game(plan, mutant).play();
