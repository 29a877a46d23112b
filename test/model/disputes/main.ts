/**
 * Plays disputes against the searching adversary, until a promise breaks or all games are played.
 *
 * node test/model/disputes/main.ts [--games 1000000] [--seed 1] [--mutant NAME | --mutants]
 */
import { parseArgs } from 'node:util';
import { MUTANTS, type Mutant } from './mutants.ts';
import { search } from './search.ts';

const { values } = parseArgs({
  options: {
    games: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
  },
});
const [games, seed] = [Number(values.games), Number(values.seed)];

function run(mutant: Mutant | undefined): boolean {
  const started = performance.now();
  const onGame = (played: number): void => {
    if (played % 10_000 === 0)
      process.stderr.write(`${played} games, ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
  };
  const { found, ...report } = search({ seed, games, mutant, onGame });
  const seconds = (performance.now() - started) / 1000;
  const days = (report.worstS / 86_400).toFixed(3);
  const rate = (report.games / seconds).toFixed(0);
  process.stdout.write(
    `${mutant ?? 'the rules'}: ${found?.outcome.violation ?? 'no promise broken'} after ${report.games} games of seed ${seed} ` +
      `(${rate}/s, ${report.honestMoves} moves of the honest side, ${report.reorgs} reorgs, longest ${days} days, least clock ${report.leastLeftS} s)\n`,
  );
  if (found !== undefined && mutant === undefined) process.stdout.write(`${JSON.stringify(found.plan)}\n`);
  return (found === undefined) === (mutant === undefined);
}

const chosen: (Mutant | undefined)[] = values.mutants
  ? (Object.keys(MUTANTS) as Mutant[])
  : [(Object.keys(MUTANTS) as Mutant[]).find((name) => name === values.mutant)];
const results = chosen.map(run);
process.exitCode = results.every(Boolean) ? 0 : 1;
