import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCustody } from '../../../../appliance/custody/index.ts';
import { createCustodyMetrics, ownerPseudonym } from '../../../../appliance/custody/metrics.ts';
import { createMetrics } from '../../../../appliance/telemetry/index.ts';

const NOW = Date.parse('2026-11-30T06:00:00.000Z');
const KEPT = { repository: 'r', nodeId: 'n', createdAt: '', checkpointKey: 'k', generation: 1 };

test('what is kept is measured by a pseudonym of its owner, and who is gone is measured no more', async () => {
  const metrics = createMetrics();
  let kept = [
    { ...KEPT, owner: 'clinic-a', snapshotAt: '2026-11-30T05:00:00.000Z', bytes: 1234 },
    { ...KEPT, owner: 'clinic-b', snapshotAt: '', generation: 0, bytes: 5 },
  ];
  createCustodyMetrics(metrics, { repositories: async () => kept, quota: 9000, now: () => NOW });
  const [a, b] = [ownerPseudonym('clinic-a'), ownerPseudonym('clinic-b')];
  const text = await metrics.metrics();
  for (const line of [
    `nectar_custody_held_bytes{owner="${a}"} 1234`,
    `nectar_custody_held_bytes{owner="${b}"} 5`,
    `nectar_custody_snapshot_age_seconds{owner="${a}"} 3600`,
    'nectar_custody_quota_bytes 9000',
  ])
    assert.ok(text.includes(`${line}\n`), line);
  assert.ok(!text.includes('clinic-a'));
  assert.ok(!text.includes(`nectar_custody_snapshot_age_seconds{owner="${b}"}`), 'no snapshot has no age');
  kept = kept.slice(1);
  assert.ok(!(await metrics.metrics()).includes(a));
});

test('what is refused is counted, and shown with what is kept', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-custody-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const metrics = createMetrics();
  const config = { maxBytesPerRepository: 1000, maxRepositories: 1, minFreeBytes: 0 };
  const custody = createCustody({ folder, config }, { metrics, now: () => NOW });
  async function* body() {
    yield Buffer.from('no header');
  }
  const nothing = { repositories: 0, bytes: 0, fullestBytes: 0, quotaBytes: 1000, oldestAt: null };
  assert.deepEqual(await custody.standing(), { ...nothing, refused: 0 });
  await assert.rejects(custody.put('clinic-a', 'repository.json', body(), new AbortController().signal));
  assert.deepEqual(await custody.standing(), { ...nothing, refused: 1 });
  assert.match(await metrics.metrics(), /nectar_custody_refused_total\{code="[A-Z_]+"\} 1/);
});
