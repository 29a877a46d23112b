import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createConnection as connectSocket, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { CrossingName, SplitRole } from '../../../../appliance/crossing/table.ts';
import { createCertificates } from '../../../../appliance/crossing/tls/certificates.ts';
import { CROSSING_VERSION } from '../../../../appliance/crossing/version.ts';
import { createCrossingAuthority } from '../../../../cli/provision/crossings/crossing-authority.ts';
import { type ErrorCode, isNectarError } from '../../../../protocol/errors.ts';
import { ask, authority, calling, DAY_MS, INSTANCE, lifetime, log, serving, side, watch } from './tls-side.ts';

const SILENT_SOCKETS = 2_000;
const hasCode = (code: ErrorCode) => (error: unknown) => isNectarError(error, code) || assert.fail(String(error));
test('a role calls what the table gives it, and with its certificate nothing else', async (t) => {
  const { calls, port, registry } = await serving(t, await side(t, 'audit'));
  const may: Record<string, readonly SplitRole[]> = {
    'audit-append': ['gateway', 'store', 'rollup'],
    'audit-read': ['gateway'],
    'audit-keys': ['store'],
  };
  let allowed = 0;
  for (const role of ['gateway', 'store', 'rollup', 'audit'] as const) {
    const from = await side(t, role);
    for (const [crossing, roles] of Object.entries(may)) {
      const connection = calling(t, from, crossing as CrossingName, port);
      if (roles.includes(role)) {
        assert.deepEqual(await ask(connection), { text: 'a' });
        allowed += 1;
      } else await assert.rejects(ask(connection), hasCode('NODE_CROSSING_REFUSED'), `${role} at ${crossing}`);
    }
  }
  assert.equal(calls.length, allowed);
  assert.match(await registry.metrics(), /nectar_crossing_refused_total\{reason="crossing"\} 7/);
});

test('a caller of another authority or of another node is refused before a frame is read', async (t) => {
  const { calls, port } = await serving(t, await side(t, 'audit'));
  const own = await authority;
  const foreign = await createCrossingAuthority(INSTANCE, lifetime());
  const elsewhere = await createCrossingAuthority('other.clinic', lifetime());
  for (const shown of [
    { issuer: foreign, believed: [own, foreign] },
    { issuer: elsewhere, believed: [own, elsewhere], instance: 'other.clinic' },
  ]) {
    const connection = calling(t, await side(t, 'gateway', shown), 'audit-append', port);
    await assert.rejects(ask(connection), hasCode('NODE_CROSSING_UNTRUSTED'));
  }
  assert.deepEqual(calls, []);
});

test('a node of the same authority is another node by its name', async (t) => {
  const wide = await createCrossingAuthority('clinic', lifetime());
  const { calls, port } = await serving(t, await side(t, 'audit', { believed: [await authority, wide] }));
  const shown = { issuer: wide, believed: [await authority, wide], instance: 'second.clinic' };
  const connection = calling(t, await side(t, 'gateway', shown), 'audit-append', port);
  await assert.rejects(ask(connection), hasCode('NODE_CROSSING_UNTRUSTED'));
  assert.deepEqual(calls, []);
});

test('a caller gives nothing to a server of another role, or of another authority', async (t) => {
  const from = await side(t, 'gateway');
  const foreign = await createCrossingAuthority(INSTANCE, lifetime());
  const { port } = await serving(t, await side(t, 'rollup'));
  const strange = await serving(t, await side(t, 'audit', { issuer: foreign, believed: [await authority, foreign] }));
  for (const at of [port, strange.port])
    await assert.rejects(ask(calling(t, from, 'audit-append', at)), hasCode('NODE_CROSSING_UNTRUSTED'));
  assert.deepEqual(strange.calls, []);
});

/** Everything that comes until the other side closes. */
function answerOf(socket: Socket, said = ''): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      answer += bytes.toString('latin1');
    });
    socket.on('close', () => resolve(answer));
    if (said !== '') socket.write(said);
  });
}

const UPGRADE = `GET /audit-append HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: nectar-frames\r\nnectar-version: ${CROSSING_VERSION}\r\n\r\n`;

test('without a certificate, by TLS 1.2, or in plain there is no crossing', async (t) => {
  const from = await side(t, 'gateway');
  const { calls, port } = await serving(t, await side(t, 'audit'));
  const of = { host: '127.0.0.1', port, rejectUnauthorized: false };
  const nameless = await answerOf(connectTls(of), UPGRADE);
  assert.match(nameless, /^HTTP\/1\.1 503 .*NODE_CROSSING_UNTRUSTED/s);
  const pair = {
    cert: await readFile(join(from.folder, 'tls.crt')),
    key: await readFile(join(from.folder, 'tls.key')),
  };
  assert.equal(await answerOf(connectTls({ ...of, ...pair, maxVersion: 'TLSv1.2' }), UPGRADE), '');
  assert.doesNotMatch(await answerOf(connectSocket({ host: '127.0.0.1', port }), UPGRADE), /101/);
  await assert.rejects(
    new Promise((resolve, reject) => request({ host: '127.0.0.1', port }, resolve).on('error', reject).end()),
  );
  assert.deepEqual(calls, []);
});

test('no session is resumed: a second connection shows its certificate again', async (t) => {
  const from = await side(t, 'gateway');
  const { port } = await serving(t, await side(t, 'audit'));
  const pair = {
    cert: await readFile(join(from.folder, 'tls.crt')),
    key: await readFile(join(from.folder, 'tls.key')),
  };
  const of = { host: '127.0.0.1', port, rejectUnauthorized: false, ...pair };
  const upgraded = async (session?: Buffer) => {
    const socket: TLSSocket = connectTls({ ...of, ...(session !== undefined && { session }) });
    const tickets: Buffer[] = [];
    socket.on('session', (ticket) => tickets.push(ticket));
    socket.write(UPGRADE);
    // The answer comes after whatever ticket there may be.
    await new Promise<void>((resolve) => socket.once('data', () => resolve()));
    const found = { session: tickets[0] ?? socket.getSession(), reused: socket.isSessionReused() };
    socket.destroy();
    return found;
  };
  const first = await upgraded();
  assert.equal((await upgraded(first.session)).reused, false);
});

test('an open connection ends when a certificate of it does, and no new one begins', async (t) => {
  const [from, at] = [await side(t, 'gateway'), await side(t, 'audit')];
  const { port } = await serving(t, at);
  const connection = calling(t, from, 'audit-append', port);
  const begun = Promise.withResolvers<void>();
  const watching = connection.feed(watch, null, () => begun.resolve());
  await begun.promise;
  at.clock.ahead = 2 * DAY_MS;
  at.open.sweep();
  await assert.rejects(watching, hasCode('NODE_CONNECTION_LOST'));
  from.clock.ahead = 2 * DAY_MS;
  await assert.rejects(ask(connection), hasCode('NODE_CROSSING_CERTIFICATE'));
  const state = from.certificates.readiness();
  assert.match(state.ready ? '' : state.reason, /^the crossing certificate expired at /);
});

test('a renewed certificate is shown without a restart, and a broken one leaves that of before', async (t) => {
  const [from, at] = [await side(t, 'gateway'), await side(t, 'audit')];
  const { port } = await serving(t, at);
  const connection = calling(t, from, 'audit-append', port);
  await ask(connection);
  const before = [from.certificates.notAfter(), at.certificates.notAfter()];
  for (const one of [from, at]) {
    await one.renew({ days: 2 });
    await one.certificates.reload();
  }
  assert.notDeepEqual([from.certificates.notAfter(), at.certificates.notAfter()], before);
  await ask(connection);
  for (const one of [from, at]) one.clock.ahead = 1.5 * DAY_MS;
  at.open.sweep();
  while (from.open.count > 1) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(await ask(connection), { text: 'a' });
  await writeFile(join(from.folder, 'tls.key'), 'damaged');
  await from.certificates.reload();
  assert.match(from.certificates.problem() ?? '', /no private key/);
  assert.deepEqual(await ask(connection), { text: 'a' });
  assert.deepEqual(from.certificates.readiness(), { ready: true });
});

test('while an authority is replaced both are believed; the one that is taken away ends what stood on it', async (t) => {
  const own = await authority;
  const next = await createCrossingAuthority(INSTANCE, lifetime());
  const [from, at] = [await side(t, 'gateway'), await side(t, 'audit')];
  const { port } = await serving(t, at);
  const connection = calling(t, from, 'audit-append', port);
  await ask(connection);
  for (const one of [from, at]) {
    await one.renew({ believed: [own, next] });
    await one.certificates.reload();
    await ask(connection);
  }
  for (const one of [from, at]) {
    await one.renew({ issuer: next, believed: [next, own] });
    await one.certificates.reload();
    await ask(connection);
  }
  const stolen = calling(t, await side(t, 'gateway', { believed: [own, next] }), 'audit-append', port);
  const begun = Promise.withResolvers<void>();
  const watching = stolen.feed(watch, null, () => begun.resolve());
  await begun.promise;
  await at.renew({ issuer: next, believed: [next] });
  await at.certificates.reload();
  await assert.rejects(watching, hasCode('NODE_CONNECTION_LOST'));
  await assert.rejects(ask(stolen), hasCode('NODE_CROSSING_UNTRUSTED'));
  await ask(connection);
});

test('two new authorities within seconds reach each role at another time, and none refuses another', async (t) => {
  const own = await authority;
  const [second, third] = [
    await createCrossingAuthority(INSTANCE, lifetime()),
    await createCrossingAuthority(INSTANCE, lifetime()),
  ];
  const [from, at] = [await side(t, 'gateway'), await side(t, 'audit')];
  const { port } = await serving(t, at);
  const call = async (): Promise<void> => {
    const connection = calling(t, from, 'audit-append', port);
    assert.deepEqual(await ask(connection), { text: 'a' });
    connection.close();
  };
  const shows = async (one: typeof from): Promise<boolean> =>
    (await readFile(join(one.folder, 'tls.crt'))).equals(one.certificates.current().options.cert as Buffer);
  const epochs = [
    { issuer: second, believed: [second, own] },
    { issuer: third, believed: [third, second, own] },
  ];
  for (const [reader, other] of [
    [at, from],
    [from, at],
  ] as const) {
    for (const epoch of epochs) {
      await reader.renew(epoch);
      await reader.certificates.reload();
      assert.equal(await shows(reader), false, 'the others may not know it yet');
      await call();
    }
    assert.equal(other.certificates.problem(), undefined);
  }
  for (const one of [at, from]) {
    one.clock.ahead = 121_000;
    await one.certificates.reload();
    assert.equal(await shows(one), true);
    await call();
  }
});

test('a new authority is shown at once where the old one is believed no longer, or its certificate ends', async (t) => {
  const own = await authority;
  const next = await createCrossingAuthority(INSTANCE, lifetime(3));
  const alone = await side(t, 'gateway');
  await alone.renew({ issuer: next, believed: [next] });
  await alone.certificates.reload();
  assert.deepEqual([...alone.certificates.current().authorities].length, 1);
  assert.equal(alone.certificates.readiness().ready, true);

  const ending = await side(t, 'gateway', { days: 1 });
  ending.clock.ahead = DAY_MS - 30_000;
  await ending.renew({ issuer: next, believed: [next, own], days: 3 });
  await ending.certificates.reload();
  ending.clock.ahead = DAY_MS - 9_000;
  await ending.certificates.reload();
  ending.clock.ahead = DAY_MS + 1_000;
  assert.equal(ending.certificates.readiness().ready, true);
});

test('files that are no pair of this role are named, and nothing begins with them', async (t) => {
  const wrong = await side(t, 'store');
  const from = createCertificates(
    { folder: wrong.folder, role: 'gateway', instance: INSTANCE },
    { log, now: Date.now },
  );
  await from.reload();
  const state = from.readiness();
  assert.match(state.ready ? '' : state.reason, /is that of store, not gateway\.nectar\.clinic\.nectar\.internal/);
  assert.throws(() => from.current(), hasCode('NODE_CROSSING_CERTIFICATE'));
  await rm(join(wrong.folder, 'tls.crt'));
  await from.reload();
  assert.match(from.problem() ?? '', /cannot be read from tls\.crt \(ENOENT\)/);
});

test('strangers that hold on do not keep a role from being called', async (t) => {
  const from = await side(t, 'gateway');
  const { port } = await serving(t, await side(t, 'audit'));
  const silent: Socket[] = [];
  t.after(() => {
    for (const socket of silent) socket.destroy();
  });
  for (let opened = 0; opened < SILENT_SOCKETS; opened++) {
    const socket = connectSocket({ host: '127.0.0.1', port }).on('error', () => undefined);
    silent.push(socket);
    await new Promise<void>((resolve) => socket.once('connect', resolve).once('close', () => resolve()));
  }
  const connection = calling(t, from, 'audit-append', port);
  for (let call = 0; call < 20; call++) assert.deepEqual(await ask(connection), { text: 'a' });
});
