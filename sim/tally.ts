/** What a simulation counts. */
export interface Tally {
  segmentsLost: number;
  /** Of repair: what was read and what was written. */
  repairBytes: number;
  /** Of hand-overs by holders that leave with notice. */
  handOverBytes: number;
  /** Both, by month. */
  readonly movedByMonth: number[];
  repairs: number;
  /** Shards that a placement had no place for. */
  unplaced: number;
  honestDays: number;
  /** Honest holders that were suspended while they lived. */
  falseSuspensions: number;
  /** Days from the first lie to the first proof of it and to the suspension, by the part that was thrown away. */
  readonly caught: Map<number, number[]>;
  readonly suspended: Map<number, number[]>;
  /** Liars that left before a proof. */
  readonly uncaught: Map<number, number>;
  /** 99th percentile of fill by median, by month. */
  readonly fillByMonth: number[];
  /** Segment-days on which fewer than k shards answered, though no byte was lost. */
  unreadableDays: number;
}

export function emptyTally(): Tally {
  return {
    segmentsLost: 0,
    repairBytes: 0,
    handOverBytes: 0,
    movedByMonth: [],
    repairs: 0,
    unplaced: 0,
    honestDays: 0,
    falseSuspensions: 0,
    caught: new Map(),
    suspended: new Map(),
    uncaught: new Map(),
    fillByMonth: [],
    unreadableDays: 0,
  };
}

const DAYS_OF_MONTH = 365 / 12;

export function monthOf(day: number): number {
  return Math.floor(day / DAYS_OF_MONTH);
}

/** Adds bytes that were moved on a day. */
export function countMoved(tally: Tally, day: number, bytes: number): void {
  const month = monthOf(day);
  tally.movedByMonth[month] = (tally.movedByMonth[month] ?? 0) + bytes;
}

export function countDays(map: Map<number, number[]>, lie: number, days: number): void {
  map.set(lie, [...(map.get(lie) ?? []), days]);
}

/** The value below which this part of a list lies; undefined for an empty one. */
export function percentile(values: readonly number[], part: number): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))];
}
