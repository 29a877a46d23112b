import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { test } from 'node:test';
import { markRestored } from '../../../../appliance/audit/index.ts';
import { appendMany, createLogHouse } from './log-house.ts';

test('a restored log completes its gap by a checkpoint that a member tells, at whatever time it left', async (t) => {
  const house = await createLogHouse(t);
  const older = `${house.folder}-older`;
  let audit = await house.open();
  await appendMany(audit, 25);
  await audit.stop();
  await cp(house.folder, older, { recursive: true });
  audit = await house.open();
  await appendMany(audit, 15, 25);
  const { note } = await audit.checkpoint();
  await audit.stop();
  await rm(house.folder, { recursive: true });
  await cp(older, house.folder, { recursive: true });
  await markRestored(house.folder, house.bodyKey, house.clock++);
  audit = await house.open();
  await audit.witnessed({ note, where: 'witness 12D3KooW', at: 0 });
  assert.deepEqual(
    audit.standing().epochs.map(({ lost, outside }) => [lost, outside?.size, outside?.where]),
    [[15, 40, 'witness 12D3KooW']],
  );
  assert.equal(audit.standing().conflict, null);
});
