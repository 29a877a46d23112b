import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findDifference, type StateTest } from './state-test.ts';

const OWN = join(import.meta.dirname, 'ethereum-state-tests');
const SHARED = process.env.NECTAR_VECTORS ?? join(import.meta.dirname, '../../../shared/vectors/ethereum-state-tests');
/** Without NECTAR_VECTORS one file in so many runs: the whole collection takes a minute. */
const SAMPLE = process.env.NECTAR_VECTORS === undefined ? 20 : 1;
/** They burn gas for hours in any JavaScript EVM and say nothing about rules. */
const TOO_LONG = 'vmPerformance';
const BLOB_TYPE = '0x03';

function filesOf(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true }) as string[];
  return names.filter((name) => name.endsWith('.json') && !name.includes(TOO_LONG)).sort();
}

/** Runs every post state of a file; returns how many ran and what differs. */
async function runFile(path: string): Promise<{ ran: number; differences: string[] }> {
  const tests = JSON.parse(readFileSync(path, 'utf8')) as Record<string, StateTest>;
  const differences: string[] = [];
  let ran = 0;
  for (const [name, body] of Object.entries(tests)) {
    for (const [index, post] of (body.post.Cancun ?? []).entries()) {
      // Blob transactions do not exist on this chain.
      if (post.txbytes.startsWith(BLOB_TYPE)) continue;
      ran += 1;
      const difference = await findDifference(body, post);
      if (difference !== undefined) differences.push(`${name} ${index}: ${difference}`);
    }
  }
  return { ran, differences };
}

for (const name of filesOf(OWN)) {
  test(`agrees with the official state test ${name}`, async () => {
    const { ran, differences } = await runFile(join(OWN, name));
    assert.ok(ran > 0);
    assert.deepEqual(differences, []);
  });
}

test('agrees with the official state tests', { skip: !existsSync(SHARED) && 'the collection is not here' }, async (context) => {
  const files = filesOf(SHARED).filter((_, i) => i % SAMPLE === 0);
  let total = 0;
  for (const name of files) {
    const { ran, differences } = await runFile(join(SHARED, name));
    total += ran;
    assert.deepEqual(differences, [], name);
  }
  assert.ok(total > 0);
  context.diagnostic(`${total} post states of ${files.length} files agree`);
});
