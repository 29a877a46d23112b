import assert from 'node:assert/strict';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Workplace } from './workplace.ts';

/** Takes the records away from a node that is down, and gives them back. */
export async function refusesLostFolder(work: Workplace, home: string, reads: () => Promise<void>): Promise<void> {
  await work.run(['down', '--home', home]);
  const [store, aside] = [join(home, 'store'), work.path('store-aside')];
  renameSync(store, aside);
  try {
    const started = await work.error(['up', '--home', home]);
    assert.deepEqual([started.code, started.exit], ['VOLUME_MISSING', 3]);
    assert.equal((await work.error(['status', '--home', home])).code, 'VOLUME_MISSING');
    const { stdout } = await work.run(['doctor', '--json', '--home', home]);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; grade: string }[] };
    assert.equal(checks.find(({ name }) => name === 'volumes')?.grade, 'bad');
    assert.ok(!existsSync(store), 'nothing is made in its place');
  } finally {
    rmSync(store, { recursive: true, force: true });
    renameSync(aside, store);
  }
  assert.equal((await work.run(['up', '--home', home])).code, 0);
  await reads();
}
