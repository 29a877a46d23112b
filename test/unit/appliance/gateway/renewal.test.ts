import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { isTokenDue } from '../../../../appliance/gateway/client-token.ts';
import { createGatewayRenewal, issueByCa } from '../../../../appliance/gateway/index.ts';
import { createRenewal, type Renewable } from '../../../../appliance/gateway/renewal.ts';
import { createLogger } from '../../../../appliance/telemetry/index.ts';
import { NODE_ID } from './doubles.ts';
import { type Harness, startHarness } from './harness.ts';

const DAY_MS = 86_400_000;
const log = createLogger({ level: 'silent' });
const { signal } = new AbortController();

/** A schedule that runs only when the test says so. */
function fakeSchedule() {
  const pending: { callback: () => void; delayMs: number }[] = [];
  return {
    pending,
    schedule: (callback: () => void, delayMs: number) => {
      pending.push({ callback, delayMs });
      return () => void pending.splice(0);
    },
  };
}

function renewalOf(h: Harness, clock: { now: number }, schedule: ReturnType<typeof fakeSchedule>['schedule']) {
  const at = (name: string): string => join(h.folder, name);
  writeFileSync(at('ca.crt'), h.certificates.caCertificate);
  return createGatewayRenewal(
    { certificatePath: at('server.crt'), keyPath: at('server.key'), clientTokenPath: at('token') },
    {
      issue: issueByCa({ nodeId: NODE_ID, caPath: at('ca.crt'), openCaKey: async () => h.certificates.caKey.slice() }),
      reload: () => h.gateway.reloadCertificate(),
      tokens: h.tokens,
      log,
      now: () => clock.now,
      schedule,
    },
  );
}

async function served(h: Harness): Promise<string> {
  // Renewed at a time that this machine's clock has not come to.
  const options = { host: '127.0.0.1', port: h.port, servername: 'localhost', rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const socket = connect(options, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    }).on('error', reject);
  });
}

test('leaves a certificate alone until its last thirty days, then serves a new one without a restart', async () => {
  const h = await startHarness();
  try {
    const clock = { now: Date.now() };
    const { pending, schedule } = fakeSchedule();
    const service = renewalOf(h, clock, schedule);
    const first = await served(h);
    await service.start(signal);
    assert.equal(await served(h), first);
    assert.deepEqual(
      pending.map(({ delayMs }) => delayMs),
      [DAY_MS],
    );
    clock.now += 368 * DAY_MS;
    pending.shift()?.callback();
    await service.stop();
    const renewed = new X509Certificate(readFileSync(join(h.folder, 'server.crt')));
    assert.equal(await served(h), renewed.fingerprint256);
    assert.notEqual(renewed.fingerprint256, first);
    assert.ok(renewed.validToDate.getTime() > clock.now + 390 * DAY_MS);
    assert.match(renewed.subjectAltName ?? '', /localhost/);
    assert.equal(statSync(join(h.folder, 'server.key')).mode & 0o077, 0);
    assert.equal(existsSync(join(h.folder, 'token')), false, 'nobody had a token here');
  } finally {
    await h.stop();
  }
});

test("renews the command line's token when its end is near", async () => {
  const h = await startHarness();
  try {
    const { token } = await h.tokens.issue({ subject: 'cli', scope: ['admin'], expiresInSeconds: 20 * 86_400 });
    writeFileSync(join(h.folder, 'token'), `${token}\n`, { mode: 0o600 });
    const service = renewalOf(h, { now: h.node.now }, fakeSchedule().schedule);
    await service.start(signal);
    await service.stop();
    const renewed = readFileSync(join(h.folder, 'token'), 'utf8').trim();
    assert.notEqual(renewed, token);
    assert.equal(isTokenDue(renewed, h.node.now), false);
    assert.equal((await h.tokens.verify(renewed)).subject, 'cli');
  } finally {
    await h.stop();
  }
});

test('tries again within the hour when a renewal fails, and renews the others all the same', async () => {
  const done: string[] = [];
  let broken = true;
  const renewable = (name: string, fails: boolean): Renewable => ({
    name,
    isDue: async () => !done.includes(name),
    renew: async () => {
      if (fails && broken) throw new Error('disk full');
      done.push(name);
    },
  });
  const { pending, schedule } = fakeSchedule();
  const service = createRenewal([renewable('a', true), renewable('b', false)], { log, now: () => 0, schedule });
  await service.start(signal);
  assert.deepEqual(done, ['b']);
  assert.equal(pending[0]?.delayMs, 3_600_000);
  broken = false;
  pending.shift()?.callback();
  await service.stop();
  assert.deepEqual(done, ['b', 'a']);
});

test('takes what is no token for one that is due', () => {
  for (const text of ['', 'a.b.c', `a.${Buffer.from('{}').toString('base64url')}.c`])
    assert.equal(isTokenDue(text, 0), true);
});
