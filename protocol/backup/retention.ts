/** Which snapshots of a repository to keep: the newest, and the last one each of the newest days, weeks and months that have one. */

export interface Retention {
  readonly last: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

export interface DatedSnapshot {
  readonly generation: number;
  /** ISO 8601 UTC. */
  readonly createdAt: string;
}

const DAY_MS = 86_400_000;
/** 1970-01-01 was a Thursday; weeks begin on Monday (ISO 8601). */
const DAYS_TO_MONDAY = 3;

/** Generations to keep, whatever order they come in. The newest is always among them: the key table is of it. */
export function keptGenerations(snapshots: readonly DatedSnapshot[], keep: Retention): Set<number> {
  const newestFirst = snapshots.toSorted((a, b) => b.generation - a.generation);
  const kept = new Set(newestFirst.slice(0, Math.max(1, keep.last)).map(({ generation }) => generation));
  const day = (at: string): number => Math.floor(Date.parse(at) / DAY_MS);
  const periods: readonly [number, (at: string) => string | number][] = [
    [keep.daily, day],
    [keep.weekly, (at) => Math.floor((day(at) + DAYS_TO_MONDAY) / 7)],
    [keep.monthly, (at) => at.slice(0, 7)],
  ];
  for (const [count, periodOf] of periods) {
    const seen = new Set<string | number>();
    for (const { generation, createdAt } of newestFirst) {
      const period = periodOf(createdAt);
      if (seen.has(period)) continue;
      if (seen.size >= count) break;
      seen.add(period);
      kept.add(generation);
    }
  }
  return kept;
}
