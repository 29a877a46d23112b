import { type Outcome, play } from './game.ts';
import type { Mutant } from './mutants.ts';
import { drawPlan, type Plan, varyPlan } from './plan.ts';
import { at, createRandom } from './random.ts';
import { ENTRY_S, WORST_S } from './shape.ts';

/** Half of the games are drawn, half vary a plan that came near to breaking a promise: late, or with little left on a clock. */

export interface Found {
  readonly plan: Plan;
  readonly outcome: Outcome;
}

export interface Report {
  readonly games: number;
  readonly honestMoves: number;
  readonly reorgs: number;
  readonly worstS: number;
  readonly leastLeftS: number;
  /** The first broken promise. */
  readonly found: Found | undefined;
}

export interface SearchOptions {
  readonly seed: number;
  readonly games: number;
  readonly mutant?: Mutant | undefined;
  readonly onGame?: (games: number) => void;
}

const POOL = 64;

function nearness({ watch }: Outcome): number {
  return watch.worstS / WORST_S + Math.max(0, 1 - watch.leastLeftS / ENTRY_S);
}

export function search({ seed, games, mutant, onGame }: SearchOptions): Report {
  const random = createRandom(seed);
  const pool: { plan: Plan; score: number }[] = [];
  const report = { games: 0, honestMoves: 0, reorgs: 0, worstS: 0, leastLeftS: Number.POSITIVE_INFINITY };
  while (report.games < games) {
    const dice = random.int(2 ** 32);
    const plan = pool.length < POOL || random.chance(0.5) ? drawPlan(dice) : varyPlan(random.pick(pool).plan, dice);
    const outcome = play(plan, mutant);
    report.games++;
    report.honestMoves += outcome.honestMoves;
    report.reorgs += outcome.reorgs;
    report.worstS = Math.max(report.worstS, outcome.watch.worstS);
    report.leastLeftS = Math.min(report.leastLeftS, outcome.watch.leastLeftS);
    if (outcome.violation !== undefined) return { ...report, found: { plan, outcome } };
    const score = nearness(outcome);
    const worst = pool.reduce((low, entry, i) => (entry.score < at(pool, low).score ? i : low), 0);
    if (pool.length < POOL) pool.push({ plan, score });
    else if (score > at(pool, worst).score) pool[worst] = { plan, score };
    onGame?.(report.games);
  }
  return { ...report, found: undefined };
}
