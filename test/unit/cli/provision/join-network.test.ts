import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeWait } from '../../../../cli/provision/process/join-network.ts';

test('names the auditors once there is an application that they can look at', () => {
  assert.equal(describeWait({ membership: 'none' }), 'waiting until L2 has the application');
  assert.equal(describeWait({ membership: 'Applied' }), 'waiting for the auditors (Applied)');
  assert.match(describeWait({ membership: 'none', problem: 'it has no balance' }), /application: it has no balance$/);
});
