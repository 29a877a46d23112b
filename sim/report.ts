import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawChart } from './chart.ts';
import type { Figures } from './figures.ts';
import { SHARD_BYTES, STORAGE_CLASS, type World } from './world.ts';

/** Writes figures.json and the plots into a folder. The text that judges them is docs/design/0032. */
export function writeReport(folder: string, world: World, figures: Figures): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'figures.json'), `${JSON.stringify(figures, null, 2)}\n`);
  for (const [name, chart] of Object.entries(chartsOf(world))) writeFileSync(join(folder, `${name}.svg`), chart);
}

function chartsOf({ tally, options, segments }: World): Record<string, string> {
  const stored = options.segments * STORAGE_CLASS.shards * SHARD_BYTES;
  const moved = Array.from(tally.movedByMonth, (bytes = 0, month) => [month, (100 * bytes) / stored] as const);
  const margins = Array.from({ length: STORAGE_CLASS.shards - STORAGE_CLASS.data + 1 }, (_, margin) => {
    const part = segments.filter(({ leastMargin }) => leastMargin <= margin).length / segments.length;
    return [margin, 100 * part] as const;
  });
  const fills = [...tally.fillByMonth.entries()].filter(([, fill]) => fill !== undefined);
  return {
    moved: drawChart({
      title: 'Moved by repair and hand-over, % of stored bytes in a month',
      xLabel: 'month',
      series: [{ name: 'moved', points: moved }],
    }),
    margins: drawChart({
      title: 'Segments whose margin ever fell to so many shards, %',
      xLabel: 'shards above what a read needs',
      series: [{ name: 'segments', points: margins }],
    }),
    placement: drawChart({
      title: 'Fill of holders: 99th percentile by median',
      xLabel: 'month',
      series: [{ name: 'p99 / median', points: fills }],
    }),
    cheats: drawChart({
      title: 'Cheats that are suspended, % of those that ever are',
      xLabel: 'days since the first shard was thrown away',
      series: [...tally.suspended].map(([part, days]) => ({
        name: `${100 * part} % thrown away`,
        points: reached(days),
      })),
    }),
  };
}

/** For each day up to the 99th percentile: the part of a list that was there by then, in per cent. */
function reached(days: readonly number[]): (readonly [number, number])[] {
  const sorted = days.toSorted((a, b) => a - b);
  const last = sorted[Math.floor(0.99 * (sorted.length - 1))] ?? 0;
  return Array.from(
    { length: last + 1 },
    (_, day) => [day, (100 * sorted.filter((one) => one <= day).length) / sorted.length] as const,
  );
}
