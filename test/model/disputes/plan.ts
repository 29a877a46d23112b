import { createRandom, type Random } from './random.ts';
import { SHAPES } from './shape.ts';

/** How the adversary plays one game. The search draws plans and varies those that came near to a broken promise. */
export interface Plan {
  readonly seed: number;
  readonly shape: number;
  readonly levels: number;
  readonly rivals: number;
  /** Probabilities: to talk off chain, to try what the rules forbid, to wait for the last second, to lose on purpose. */
  readonly talk: number;
  readonly cheat: number;
  readonly stall: number;
  readonly throws: number;
  /** To join, after the first, in the last second of a window alone. */
  readonly late: number;
  readonly reorg: number;
  readonly freeze: number;
  /** Shares of what the adversary may take from the honest side: delay of its transactions, time that its own work takes. */
  readonly censor: number;
  readonly work: number;
  readonly crash: number;
  readonly verifier: 'sound' | 'zk rejects all' | 'zk accepts all' | 'second accepts all';
  readonly gasPrice: number;
  readonly honestAssertsAt: number;
  /** Mean seconds between two acts that wait for nothing. */
  readonly pace: number;
}

const DAY_S = 86_400;
/** Few games have very many rivals: they take long. */
function drawRivals(random: Random): number {
  const kind = random.next();
  if (kind < 0.7) return 1 + random.int(3);
  return kind < 0.99 ? 4 + random.int(5) : 40;
}

function drawExtreme(random: Random): number {
  const kind = random.next();
  if (kind < 0.35) return 0;
  return kind < 0.65 ? 1 : random.next();
}

export function drawPlan(seed: number): Plan {
  const random = createRandom(seed);
  const verifier = random.next();
  return {
    seed,
    shape: random.int(SHAPES.length),
    levels: random.chance(0.25) ? 2 : 1,
    rivals: drawRivals(random),
    talk: drawExtreme(random),
    cheat: random.chance(0.5) ? 0.5 * random.next() : 0,
    stall: drawExtreme(random),
    throws: random.chance(0.5) ? random.pick([0.2, 0.5, 0.8]) : 0,
    late: random.chance(0.3) ? 1 : 0,
    reorg: random.chance(0.2) ? 0.3 : 0,
    freeze: random.chance(0.2) ? 0.1 : 0,
    censor: drawExtreme(random),
    work: drawExtreme(random),
    crash: random.chance(0.2) ? 0.1 : 0,
    verifier:
      verifier < 0.8
        ? 'sound'
        : verifier < 0.85
          ? 'zk rejects all'
          : verifier < 0.95
            ? 'zk accepts all'
            : 'second accepts all',
    gasPrice: random.chance(0.2) ? 20_000 : 100,
    honestAssertsAt: random.chance(0.5) ? 900 : random.int(12 * DAY_S),
    pace: random.pick([600, 7200, DAY_S]),
  };
}

/** The same plan with one trait of another one, and other dice. */
export function varyPlan(plan: Plan, seed: number): Plan {
  const random = createRandom(seed ^ 0x5bd1e995);
  const other = drawPlan(seed);
  const traits = Object.keys(plan).filter((trait) => trait !== 'seed') as (keyof Plan)[];
  const trait = random.pick(traits);
  return { ...plan, seed, [trait]: other[trait] };
}
