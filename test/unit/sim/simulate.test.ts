import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawChart } from '../../../sim/chart.ts';
import { figuresOf } from '../../../sim/figures.ts';
import { simulate } from '../../../sim/simulate.ts';

/** A tenth of the holders of the committed report, over the same five years. */
const options = { nodes: 1000, years: 5, seed: 'ci', segments: 300 };
const figures = figuresOf(simulate(options));

test('loses no segment of the standard class, and every segment can be read every day', () => {
  assert.equal(figures.segmentsLost, 0);
  assert.equal(figures.unreadableSegmentDays, 0);
  assert.equal(figures.unplacedShards, 0);
});

test('moves less than 12 % of what is stored in a month, repairs alone less than 9 %', () => {
  assert.ok(figures.repairPerMonthPercent < 9, `${figures.repairPerMonthPercent}`);
  assert.ok(figures.movedPerMonthPercent < 12, `${figures.movedPerMonthPercent}`);
});

test('proves and suspends cheats in the days that the design names', () => {
  const limits = new Map([
    [1, [1, 3]],
    [0.05, [3, 7]],
    [0.01, [12, 30]],
  ]);
  for (const { part, caught, provenP95Days, suspendedP95Days } of figures.cheats) {
    const [proven = 0, suspended = 0] = limits.get(part) ?? [];
    assert.ok(caught > 10, `${caught} of ${part}`);
    assert.ok((provenP95Days ?? Number.POSITIVE_INFINITY) <= proven, `${part}: proven after ${provenP95Days}`);
    assert.ok(
      (suspendedP95Days ?? Number.POSITIVE_INFINITY) <= suspended,
      `${part}: suspended after ${suspendedP95Days}`,
    );
  }
});

test('suspends few honest holders, and fills holders alike', () => {
  assert.ok(figures.falseSuspensionsPerYearPercent < 0.25, `${figures.falseSuspensionsPerYearPercent}`);
  assert.ok((figures.placementP99ToMedian ?? Number.POSITIVE_INFINITY) < 2, `${figures.placementP99ToMedian}`);
});

test('gives the same figures for the same seed, and others for another', () => {
  const small = { nodes: 100, years: 0.5, seed: 'a', segments: 50 };
  const run = (seed: string) => figuresOf(simulate({ ...small, seed }));
  assert.deepEqual(run('a'), run('a'));
  assert.notDeepEqual(run('a').repairPerMonthPercent, run('b').repairPerMonthPercent);
});

test('draws a chart of every series, within its frame', () => {
  const svg = drawChart({
    title: 'a title',
    xLabel: 'days',
    series: [
      {
        name: 'one',
        points: [
          [0, 0],
          [10, 5],
        ],
      },
      { name: 'two', points: [[0, 5]] },
    ],
  });
  assert.match(svg, /^<svg [^>]*aria-label="a title">/);
  assert.equal(svg.match(/<polyline/g)?.length, 2);
  for (const [, x, y] of svg.matchAll(/([\d.]+),([\d.]+)[ "]/g)) assert.ok(Number(x) <= 640 && Number(y) <= 280);
});
