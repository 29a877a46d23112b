import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { withPortsChosenAgain } from '../../../../cli/provision/process/choose-ports-again.ts';
import { NectarError } from '../../../../protocol/errors.ts';

const TAKEN = [
  new NectarError('CLI_DEVNET_PORT_TAKEN', { part: 'sequencer', port: 9545 }),
  new NectarError('GATEWAY_PORT_IN_USE', { host: '127.0.0.1', port: 9545, option: 'gateway.port' }),
  new NectarError('NETWORK_LISTEN_REFUSED', { address: '127.0.0.1:9545' }),
  new NectarError('NETWORK_LISTEN_REFUSED', { address: ':::9545' }),
];

test('work whose port was taken is done again with another one', async () => {
  for (const error of TAKEN) {
    let isFree = false;
    const chosen: number[] = [];
    const done = await withPortsChosenAgain(
      async () => {
        if (!isFree) throw error;
        return 'done';
      },
      async (taken) => {
        chosen.push(taken);
        isFree = true;
        return true;
      },
    );
    assert.deepEqual([done, chosen], ['done', [9545]], error.message);
  }
});

test('a port that a person named stays, and its error stands', async () => {
  for (const error of TAKEN) {
    const work = withPortsChosenAgain(
      () => Promise.reject(error),
      async () => false,
    );
    await assert.rejects(work, error);
  }
});

test('does not try for ever, and no other error is tried again', async () => {
  let chosen = 0;
  const choose = async (): Promise<boolean> => {
    chosen += 1;
    return true;
  };
  await assert.rejects(
    withPortsChosenAgain(() => Promise.reject(TAKEN[0]), choose),
    TAKEN[0],
  );
  assert.equal(chosen, 3);
  const other = new NectarError('NODE_HOME_IN_USE', { home: '/home' });
  await assert.rejects(
    withPortsChosenAgain(() => Promise.reject(other), choose),
    other,
  );
  assert.equal(chosen, 3);
});

test('an L1 or a sequencer that did not start is tried again only where its port is taken', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const errors = [
    new NectarError('ROLLUP_L1_NOT_STARTED', { port, log: 'anvil.log' }),
    new NectarError('ROLLUP_SEQUENCER_RPC_PORT', { host: '127.0.0.1', port }),
  ];
  const chosen: number[] = [];
  const tryEach = async (): Promise<void> => {
    for (const error of errors) {
      const work = withPortsChosenAgain(
        () => Promise.reject(error),
        async (taken) => {
          chosen.push(taken);
          return false;
        },
      );
      await assert.rejects(work, error);
    }
  };
  await tryEach();
  server.close();
  await once(server, 'close');
  await tryEach();
  assert.deepEqual(chosen, [port, port]);
});
