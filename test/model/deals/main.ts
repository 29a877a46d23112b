/**
 * Plays deals against a party without rules, until a promise breaks or all games are played.
 *
 * node test/model/deals/main.ts [--games 100000] [--seed 1] [--mutants]
 */
import { parseArgs } from 'node:util';
import { playDeal } from './game.ts';
import { DEAL_MUTANTS, type DealMutant } from './mutants.ts';

const { values } = parseArgs({
  options: {
    games: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    mutants: { type: 'boolean', default: false },
  },
});
const [games, seed] = [Number(values.games), Number(values.seed)];

function run(mutant: DealMutant | undefined): boolean {
  const started = performance.now();
  const sum = { faults: 0, deals: 0, paidEpochs: 0 };
  let [violation, played] = [undefined as string | undefined, 0];
  while (played < games && violation === undefined) {
    const outcome = playDeal(seed * 1_000_003 + played, mutant);
    played++;
    violation = outcome.violation;
    for (const key of ['faults', 'deals', 'paidEpochs'] as const) sum[key] += outcome[key];
  }
  const rate = ((played * 1000) / (performance.now() - started)).toFixed(0);
  const counts = `${sum.deals} deals closed, ${sum.paidEpochs} epochs, ${sum.faults} faults`;
  process.stdout.write(
    `${mutant ?? 'the rules'}: ${violation ?? 'no promise broken'} after ${played} games (${rate}/s, ${counts})\n`,
  );
  return (violation === undefined) === (mutant === undefined);
}

const chosen = values.mutants ? (Object.keys(DEAL_MUTANTS) as DealMutant[]) : [undefined];
process.exitCode = chosen.map(run).every(Boolean) ? 0 : 1;
