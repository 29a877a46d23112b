import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MUTANTS, type Mutant } from '../../model/disputes/mutants.ts';
import { search } from '../../model/disputes/search.ts';

const SEED = 1;

test('the honest side wins a sample of disputes against the searching adversary', () => {
  const { games, found, honestMoves, reorgs } = search({ seed: SEED, games: 600 });
  assert.equal(found, undefined);
  assert.equal(games, 600);
  assert.ok(honestMoves > 1000 && reorgs > 100, `${honestMoves} moves, ${reorgs} reorgs`);
});

/** What the search needs at most, from this seed; the games are the same on every machine. */
const GAMES = 1500;
for (const [mutant, rule] of Object.entries(MUTANTS)) {
  test(`finds a game that is lost without a rule: ${mutant} (${rule})`, () => {
    const { found } = search({ seed: SEED, games: GAMES, mutant: mutant as Mutant });
    assert.notEqual(found, undefined);
  });
}
