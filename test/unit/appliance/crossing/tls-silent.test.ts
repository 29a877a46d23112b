import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { isNectarError } from '../../../../protocol/errors.ts';
import { ask, calling, echo, serving, side } from './tls-side.ts';

const DEADLINE_MS = 100;

/** A network between two roles that can lose what is on its way, as one does whose other end has gone. */
async function network(t: TestContext, port: number) {
  const pairs: [Socket, Socket][] = [];
  const state = { isLost: false };
  const server = createServer((near) => {
    if (state.isLost) {
      pairs.push([near.pause(), near]);
      return;
    }
    const far = connect({ host: '127.0.0.1', port });
    pairs.push([near, far]);
    near.pipe(far).on('error', () => near.destroy());
    far.pipe(near).on('error', () => far.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of pairs.flat()) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    made: () => pairs.length,
    /** Nothing comes through connections that are open now; both ends believe that they are. */
    silence() {
      for (const [near, far] of pairs) {
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      }
    },
    /** New ones are taken, and nobody answers. */
    lose() {
      state.isLost = true;
    },
  };
}

test('connections that have gone silent cost one call its deadline, and the next one dials anew', async (t) => {
  const { port } = await serving(t, await side(t, 'audit'));
  const between = await network(t, port);
  const connection = calling(t, await side(t, 'gateway'), 'audit-append', between.port);
  await Promise.all([ask(connection), ask(connection), ask(connection)]);
  assert.equal(between.made(), 3);
  between.silence();
  await assert.rejects(connection.unary(echo, { text: 'a' }, { timeoutMs: DEADLINE_MS }), (error) =>
    isNectarError(error, 'NODE_NOT_READY'),
  );
  assert.deepEqual(await ask(connection), { text: 'a' });
  assert.equal(between.made(), 4);
});

test('a role that cannot be connected to is told apart from one that does not answer', async (t) => {
  const { port } = await serving(t, await side(t, 'audit'));
  const between = await network(t, port);
  between.lose();
  const connection = calling(t, await side(t, 'gateway'), 'audit-append', between.port);
  await assert.rejects(
    connection.unary(echo, { text: 'a' }, { timeoutMs: DEADLINE_MS }),
    (error) => isNectarError(error, 'NODE_NOT_READY') && /no connection to it for echo within/.test(error.message),
  );
});
