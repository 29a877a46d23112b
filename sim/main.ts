/** `npm run sim -- --nodes N --years Y --seed S [--segments M] [--report FOLDER]`: the network of holders, by the product's own rules. */
import { parseArgs } from 'node:util';
import { figuresOf } from './figures.ts';
import { writeReport } from './report.ts';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000' },
    years: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    segments: { type: 'string' },
    report: { type: 'string' },
  },
});
const nodes = Number(values.nodes);
const years = Number(values.years);
const segments = Number(values.segments ?? Math.ceil(nodes / 2));
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
if (!isCount(nodes) || !isCount(segments) || !(years > 0 && years <= 100)) {
  process.stderr.write('usage: npm run sim -- --nodes N --years Y --seed S [--segments M] [--report FOLDER]\n');
  process.exit(2);
}
const world = simulate({ nodes, years, seed: values.seed, segments }, ({ day, days }) => {
  if (process.stderr.isTTY && day % 30 === 0) process.stderr.write(`\rday ${day} of ${days}`);
});
const figures = figuresOf(world);
process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
if (values.report !== undefined) writeReport(values.report, world, figures);
