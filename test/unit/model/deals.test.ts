import assert from 'node:assert/strict';
import { test } from 'node:test';
import { playDeal } from '../../model/deals/game.ts';
import { DEAL_MUTANTS, type DealMutant } from '../../model/deals/mutants.ts';

/** A thousand here; a hundred thousand by hand: node test/model/deals/main.ts. */
const GAMES = 1000;
/** The rarest needs some 200 games of this seed. */
const MOST_GAMES = 2000;
const SEED = 3_000_009;

/** The first promise that broke, of this many games. */
function search(games: number, mutant?: DealMutant): string | undefined {
  for (let game = 0; game < games; game++) {
    const { violation } = playDeal(SEED + game, mutant);
    if (violation !== undefined) return `game ${game}: ${violation}`;
  }
  return undefined;
}

test('the rules of a deal keep what they promise against a party without rules', () => {
  assert.equal(search(GAMES), undefined);
});

for (const mutant of Object.keys(DEAL_MUTANTS) as DealMutant[])
  test(`the search finds a game that is lost without this rule: ${mutant}`, () => {
    assert.notEqual(search(MOST_GAMES, mutant), undefined);
  });
