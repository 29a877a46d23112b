import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RekeyState } from '../../../../../appliance/store/index.ts';
import type { StoredHome } from '../stored-home.ts';
import { Clinic } from './clinic.ts';

const clinic = new Clinic();
const context = { actor: { subject: 'tester' }, requestId: 'r' };
const bodies = new Map<string, Buffer>();

before(async () => {
  await clinic.open();
  // Small ones in the index, larger ones in blocks.
  for (let i = 0; i < 24; i++) {
    const { id, body } = await clinic.put(i * 6_000);
    bodies.set(id, body);
  }
});
after(() => clinic.close());

async function until(home: StoredHome, is: (state: RekeyState) => boolean): Promise<RekeyState> {
  for (;;) {
    const { rekey } = home.store.condition();
    if (rekey !== undefined && is(rekey)) return rekey;
    await sleep(5);
  }
}

async function readAll(home: StoredHome): Promise<void> {
  for (const [id, body] of bodies) assert.ok(body.equals(await home.get(id)), id);
}

test('a backup taken while every record is sealed anew restores to a node that reads them all, and goes on', async () => {
  const { running } = clinic;
  // As `backup` asks the node for: what its copy of the index names stays on the disk.
  await running.store.keepReplaced(600_000);
  await running.rekey(10);
  const { done, total } = await until(running, (state) => state.done > 0);
  assert.ok(done < total, 'half-way');
  const { generation } = await clinic.backUp();
  await running.store.rekey({ load: 100 }, context);
  assert.equal((await until(running, ({ state }) => state !== 'running')).state, 'done');
  await readAll(running);

  await clinic.restore('restored', { generation });
  const restored = await clinic.openRestored('restored');
  try {
    await readAll(restored);
    assert.equal((await until(restored, ({ state }) => state !== 'running')).state, 'done');
    await readAll(restored);
    assert.deepEqual((await restored.store.scrub(() => undefined)).findings, []);
  } finally {
    await restored.stop();
  }
});
