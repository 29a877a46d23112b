import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPorts } from '../../../../cli/provision/process/default-ports.ts';
import { isNectarError } from '../../../../protocol/errors.ts';

test('the default ports are those of the documents, unless an offset moves all of them', () => {
  assert.deepEqual(defaultPorts({}), { gateway: 8443, p2p: 4640, devnet: { l1: 8545, rpc: 9545, p2p: 14_640 } });
  assert.deepEqual(defaultPorts({ NECTAR_PORT_OFFSET: '1000' }), {
    gateway: 9443,
    p2p: 5640,
    devnet: { l1: 9545, rpc: 10_545, p2p: 15_640 },
  });
});

test('an offset that is no number, or leads beyond the last port, is refused', () => {
  for (const offset of ['x', '-1', '1.5', ' 1', '50000', '0x10']) {
    assert.throws(
      () => defaultPorts({ NECTAR_PORT_OFFSET: offset }),
      (error) => isNectarError(error, 'CLI_USAGE'),
      offset,
    );
  }
});
