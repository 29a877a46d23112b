import { percentile } from './tally.ts';
import { SHARD_BYTES, STORAGE_CLASS, type World } from './world.ts';

/** What is reported of a simulation: what the design page asks for, and whether the page's threshold holds. */
export interface Figures {
  readonly nodes: number;
  readonly years: number;
  readonly seed: string;
  readonly segments: number;
  readonly segmentYears: number;
  readonly segmentsLost: number;
  /** Upper bound of the loss for 10^9 segment-years at 95 % (three for none seen), which so few segment-years can show. */
  readonly lostPerBillionAtMost: number;
  readonly leastMargin: number;
  readonly unreadableSegmentDays: number;
  /** Bytes that repair read and wrote, for each stored byte and month, in per cent; with hand-overs. */
  readonly repairPerMonthPercent: number;
  readonly movedPerMonthPercent: number;
  readonly shardsPerRepair: number;
  readonly falseSuspensionsPerYearPercent: number;
  /** By the part that was thrown away: days to the first proof and to the suspension, 95th percentile, and how many. */
  readonly cheats: readonly {
    readonly part: number;
    readonly caught: number;
    readonly neverCaught: number;
    readonly provenP95Days: number | undefined;
    readonly suspendedP95Days: number | undefined;
  }[];
  readonly placementP99ToMedian: number | undefined;
  readonly unplacedShards: number;
}

/** One-sided 95 % bound of a Poisson mean, exact for 0 and close above. */
function atMost(seen: number): number {
  return seen === 0 ? 3 : seen + 1.645 * Math.sqrt(seen + 1) + 1.4;
}

const round = (value: number): number => Number(value.toPrecision(3));

export function figuresOf({ options, tally, segments }: World): Figures {
  const segmentYears = options.segments * options.years;
  const storedMonths = options.segments * STORAGE_CLASS.shards * SHARD_BYTES * options.years * 12;
  const shards = tally.repairBytes / SHARD_BYTES - tally.repairs * STORAGE_CLASS.data;
  const parts = new Set([...tally.caught.keys(), ...tally.uncaught.keys()]);
  const { nodes, years, seed } = options;
  return {
    nodes,
    years,
    seed,
    segments: options.segments,
    segmentYears,
    segmentsLost: tally.segmentsLost,
    lostPerBillionAtMost: round((atMost(tally.segmentsLost) / segmentYears) * 1e9),
    leastMargin: Math.min(...segments.map(({ leastMargin }) => leastMargin)),
    unreadableSegmentDays: tally.unreadableDays,
    repairPerMonthPercent: round((100 * tally.repairBytes) / storedMonths),
    movedPerMonthPercent: round((100 * (tally.repairBytes + tally.handOverBytes)) / storedMonths),
    shardsPerRepair: round(shards / Math.max(1, tally.repairs)),
    falseSuspensionsPerYearPercent: round((100 * tally.falseSuspensions) / (tally.honestDays / 365)),
    cheats: [...parts]
      .toSorted((a, b) => b - a)
      .map((part) => ({
        part,
        caught: tally.caught.get(part)?.length ?? 0,
        neverCaught: tally.uncaught.get(part) ?? 0,
        provenP95Days: percentile(tally.caught.get(part) ?? [], 0.95),
        suspendedP95Days: percentile(tally.suspended.get(part) ?? [], 0.95),
      })),
    placementP99ToMedian: round(
      percentile(
        tally.fillByMonth.filter((fill) => fill !== undefined),
        0.5,
      ) ?? Number.NaN,
    ),
    unplacedShards: tally.unplaced,
  };
}
