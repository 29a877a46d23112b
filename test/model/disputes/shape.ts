/** The sizes of a dispute. On L1 k = 32 with 4 and 8 rounds; the model keeps the rounds or halves them, and scales k. */
export interface Shape {
  readonly k: number;
  /** Even, so that the first round about steps is the opener's. */
  readonly iterationRounds: number;
  /** Even, so that the last round is the responder's. */
  readonly stepRounds: number;
}

export const SHAPES: readonly Shape[] = [
  { k: 2, iterationRounds: 4, stepRounds: 8 },
  { k: 3, iterationRounds: 2, stepRounds: 4 },
  { k: 4, iterationRounds: 2, stepRounds: 4 },
  { k: 2, iterationRounds: 2, stepRounds: 2 },
  { k: 4, iterationRounds: 4, stepRounds: 8 },
];

const DAY_S = 86_400;
export const CLOCK_S = 302_400;
export const ENTRY_S = 10_800;
/** When the last round about iterations is posted: the opener has to trace an iteration for the first time. */
export const TRACE_ENTRY_S = 21_600;
export const PERIOD_S = 7 * DAY_S;
export const JOIN_S = DAY_S;
export const GRACE_S = 2 * DAY_S;
export const FREEZE_S = 14 * DAY_S;
export const FREEZE_WITH_FIX_S = 45 * DAY_S;
export const FREEZE_EVERY_S = 90 * DAY_S;
/** Talking ends after so long a silence, or so long in all. */
export const TALK_SILENCE_S = 600;
export const TALK_S = 3600;
/** Stakes and gas in gwei at the highest price that is refunded, 100 gwei a unit of gas. */
export const STAKE = 10_000_000_000;
export const GAS_PRICE = 100;
export const MAX_REFUND_PERCENT = 80;
export const REWARD_PERCENT = 10;
/** What the page promises: 7 + 1 days of joining, 2 clocks and 39 hours, 2 days of grace. */
export const WORST_S = PERIOD_S + JOIN_S + 2 * CLOCK_S + 39 * 3600 + GRACE_S;

export const lastRound = (shape: Shape): number => shape.iterationRounds + shape.stepRounds;
export const iterations = (shape: Shape): number => shape.k ** shape.iterationRounds;
export const steps = (shape: Shape): number => shape.k ** shape.stepRounds;

/** How far one point of a round is from the next: in iterations, later in steps. */
export function width(shape: Shape, round: number): number {
  const end = round <= shape.iterationRounds ? shape.iterationRounds : lastRound(shape);
  return shape.k ** (end - round);
}
