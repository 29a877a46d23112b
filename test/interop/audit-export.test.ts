import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCertificates } from '../../appliance/gateway/index.ts';
import { makeReportKey, readPublicKey } from '../../cli/harden/report-key.ts';
import { writeRunning } from '../../cli/provision/process/running.ts';
import { appendMany, createLogHouse } from '../unit/appliance/audit/log-house.ts';
import { capture } from '../unit/cli/capture.ts';
import { said, unless } from './programs.ts';

const NODE_ID = 'ab'.repeat(16);
/** The clock of `capture`. */
const now = (): number => Date.UTC(2026, 10, 23);

/** The bundle of a real log, brought by a gateway over TLS, signed by the verb and verified by GnuPG. */
test('gpg verifies what `audit export --sign` wrote, and refuses it once altered', {
  skip: unless('gpg', '--version'),
}, async (t) => {
  const audit = await (await createLogHouse(t)).open();
  await appendMany(audit, 20);
  const request = { filter: { type: 'record' }, bodies: true, allLeaves: false, anchors: [] };
  const context = { actor: { subject: 'auditor' }, requestId: 'r' };
  const parts: Uint8Array[] = [];
  for await (const part of await audit.export(request, context, new AbortController().signal)) parts.push(part);

  const folder = await mkdtemp(join(tmpdir(), 'nectar-export-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const home = join(folder, 'home');
  for (const path of ['tls', 'client', 'run', 'identity']) mkdirSync(join(home, path), { recursive: true });
  for (const path of ['config.json', 'keys.json']) writeFileSync(join(home, path), '{}');
  const identity = {
    nodeId: NODE_ID,
    peerId: '12D3KooWRU5ha8FqEo4TdKsh92SuHwrxYVV8L6wp8mHUZPJSqkmU',
    operator: `0x${'11'.repeat(20)}`,
    checkpointVkey: audit.vkey(),
    tokenJwk: { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) },
  };
  writeFileSync(join(home, 'identity/public.json'), JSON.stringify(identity));
  const made = await createCertificates({ nodeId: NODE_ID, hostName: 'test', names: [], now: Date.now() });
  writeFileSync(join(home, 'tls/ca.crt'), made.caCertificate);
  writeFileSync(join(home, 'client/token'), 'the-token\n');
  const { fingerprint } = await makeReportKey({ home, nodeId: NODE_ID, passphrase: undefined, force: false, now });
  const server = createServer({ key: made.serverKey, cert: made.serverCertificate }, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(Buffer.concat(parts));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  writeRunning(home, `https://127.0.0.1:${(server.address() as AddressInfo).port}`);

  const file = join(folder, 'reads.ndjson');
  const run = await capture(['audit', 'export', '--type', 'record', '--sign', '-o', file, '--home', home, '--json']);
  assert.equal(run.code, 0, run.stderr);
  const told = JSON.parse(run.stdout) as { entries: number; signature: string; fingerprint: string };
  assert.deepEqual([told.entries, told.signature, told.fingerprint], [20, `${file}.asc`, fingerprint]);

  const gnupg = await mkdtemp(join(folder, 'gnupg-'));
  const gpg = (...args: string[]) =>
    said('gpg', ['--batch', '--no-autostart', '--status-fd', '1', ...args], {
      env: { ...process.env, GNUPGHOME: gnupg },
    });
  const key = join(folder, 'clinic.asc');
  writeFileSync(key, await readPublicKey(home));
  await gpg('--import', key);
  assert.match((await gpg('--verify', `${file}.asc`, file)).stdout, new RegExp(`VALIDSIG ${fingerprint} `));
  const verb = ['audit', 'verify-bundle', file, '--vkey', audit.vkey(), '--key', key, '--json'];
  const verified = await capture(verb);
  assert.equal(verified.code, 0, verified.stderr);
  assert.equal((JSON.parse(verified.stdout) as { signature: { verdict: string } }).signature.verdict, 'ok');

  // Altered where no proof looks: the bundle holds, the signature does not.
  writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from('\n')]));
  await assert.rejects(gpg('--verify', `${file}.asc`, file), /BAD signature/);
  assert.notEqual((await capture(verb)).code, 0);
});
