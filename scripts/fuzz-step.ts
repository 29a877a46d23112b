/**
 * Random steps of the disputed machine: the circuit's constraints must hold for what protocol/dispute/step.ts says, and for nothing
 * else. By hand; a sample runs with the unit tests.
 *
 *   node scripts/fuzz-step.ts [--steps N] [--seed S]
 */
import { parseArgs } from 'node:util';
import { Random, randomStep } from '../test/unit/circuits/random-step.ts';
import { isAccepted, makeStep, mutateOne } from '../test/unit/circuits/step-circuit.ts';

const REPORT_EVERY = 1000;
const { values } = parseArgs({
  options: { steps: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const random = new Random(Number(values.seed));
const steps = Number(values.steps);
for (let count = 1; count <= steps; count++) {
  const made = makeStep(randomStep(random));
  const at = `step ${count} of seed ${values.seed}`;
  if (!(await isAccepted(made))) throw new Error(`the circuit refuses ${at}`);
  const { mutated, name } = mutateOne(made, random);
  if (await isAccepted(mutated)) throw new Error(`the circuit takes ${at} with another ${name}`);
  if (count % REPORT_EVERY === 0) process.stdout.write(`${count} steps agree\n`);
}
process.stdout.write(`${steps} steps of seed ${values.seed} agree, and none with one value altered\n`);
