import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { byPassphrase } from '../../../../appliance/keys/index.ts';
import { prepareStart } from '../../../../cli/life/prepare-start.ts';
import { createHome } from '../../../../cli/provision/process/create-home.ts';
import { createOutput } from '../../../../cli/render/output.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { fakeTerminal } from '../capture.ts';
import { makeHome, NOW } from './stored-home.ts';

const DAY_MS = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'nectar-prepare-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const { signal } = new AbortController();

const at = (now: number) => {
  const terminal = { ...fakeTerminal().terminal, now: () => now };
  return { terminal, output: createOutput(terminal, true) };
};
const read = (home: string, path: string): string => readFileSync(join(home, path), 'utf8');

test('renews certificate and token of a node that was down over their end', async () => {
  const home = await makeHome(folder, 'a');
  const [certificate, token] = [read(home, 'tls/server.crt'), read(home, 'client/token')];
  assert.deepEqual((await prepareStart({ home, ...at(NOW + 300 * DAY_MS), passphraseFile: undefined })).renewed, []);
  const later = NOW + 500 * DAY_MS;
  const { renewed } = await prepareStart({ home, ...at(later), passphraseFile: undefined });
  assert.deepEqual(renewed, ['certificate', 'token']);
  const now = new X509Certificate(read(home, 'tls/server.crt'));
  assert.notEqual(now.toString(), new X509Certificate(certificate).toString());
  assert.ok(now.verify(new X509Certificate(read(home, 'tls/ca.crt')).publicKey));
  assert.ok(now.checkPrivateKey(createPrivateKey(read(home, 'tls/server.key'))));
  assert.match(now.subjectAltName ?? '', /node\.clinic\.example/);
  assert.notEqual(read(home, 'client/token'), token);
  const listed = JSON.parse(read(home, 'tokens.json')).tokens as { revokedAt?: string }[];
  assert.ok(listed.slice(0, -1).every(({ revokedAt }) => revokedAt !== undefined));
  assert.deepEqual((await prepareStart({ home, ...at(later), passphraseFile: undefined })).renewed, []);
});

test('a host that the configuration names since gets a certificate; one that the CA may not certify is refused', async () => {
  const home = await makeHome(folder, 'host');
  const config = JSON.parse(read(home, 'config.json'));
  const bind = (host: string) =>
    writeFileSync(join(home, 'config.json'), JSON.stringify({ ...config, gateway: { ...config.gateway, host } }));
  const prepare = () => prepareStart({ home, ...at(NOW), passphraseFile: undefined });
  for (const host of ['127.0.0.1', '0.0.0.0', '::', '::1', 'localhost']) {
    bind(host);
    assert.deepEqual((await prepare()).renewed, [], host);
  }
  bind('10.20.30.40');
  assert.deepEqual((await prepare()).renewed, ['certificate']);
  assert.match(new X509Certificate(read(home, 'tls/server.crt')).subjectAltName ?? '', /10\.20\.30\.40/);
  assert.deepEqual((await prepare()).renewed, [], 'once');
  const before = read(home, 'tls/server.crt');
  for (const damaged of ['', 'not a certificate']) {
    writeFileSync(join(home, 'tls', 'server.crt'), damaged);
    assert.deepEqual((await prepare()).renewed, ['certificate'], 'damaged, it is made anew');
  }
  writeFileSync(join(home, 'tls', 'server.crt'), before);
  bind('203.0.113.7');
  await assert.rejects(prepare(), (error) => isNectarError(error, 'GATEWAY_CERTIFICATE_NAME_EXCLUDED'));
  assert.equal(read(home, 'tls/server.crt'), before);
});

test('makes anew what a clock that was ahead has made, as if it had ended', async () => {
  const home = await makeHome(folder, 'ahead');
  const start = async (now: number): Promise<readonly string[]> =>
    (await prepareStart({ home, ...at(now), passphraseFile: undefined })).renewed;
  const inForce = (path: string, now: number): boolean => {
    const { validFromDate, validToDate } = new X509Certificate(read(home, path));
    return validFromDate.getTime() <= now && now < validToDate.getTime();
  };
  assert.deepEqual(await start(NOW + 380 * DAY_MS), ['certificate', 'token']);
  assert.deepEqual(await start(NOW + DAY_MS), ['certificate', 'token'], 'the clock is right again');
  assert.ok(inForce('tls/server.crt', NOW + DAY_MS));
  assert.deepEqual(await start(NOW + DAY_MS), []);
  // At init already: the CA's own certificate begins in the future too.
  const before = NOW - 400 * DAY_MS;
  assert.ok(!inForce('tls/ca.crt', before));
  assert.deepEqual(await start(before), ['certificate', 'token']);
  assert.ok(inForce('tls/ca.crt', before) && inForce('tls/server.crt', before));
  const leaf = new X509Certificate(read(home, 'tls/server.crt'));
  assert.ok(leaf.verify(new X509Certificate(read(home, 'tls/ca.crt')).publicKey));
});

test('renews with the passphrase, which it hands on for the start', async () => {
  const home = join(folder, 'p');
  const secret = 'four random words here';
  const enrol = byPassphrase(Buffer.from(secret));
  const config = { version: 1 };
  const request = { home, enrol, config, descriptor: Buffer.from('{}\n'), names: [], signal, now: () => NOW };
  await createHome(request, () => undefined);
  const file = join(folder, 'secret');
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  const later = at(NOW + 380 * DAY_MS);
  assert.deepEqual((await prepareStart({ home, ...later, passphraseFile: undefined })).renewed, [], 'nobody to ask');
  const { renewed, passphrase } = await prepareStart({ home, ...later, passphraseFile: file });
  assert.deepEqual(renewed, ['certificate', 'token']);
  assert.equal(Buffer.from(passphrase ?? []).toString(), secret);
});

test('refuses a home of a newer program before it starts', async () => {
  const home = await makeHome(folder, 'n');
  writeFileSync(join(home, 'format.json'), '{"format":99}');
  await assert.rejects(prepareStart({ home, ...at(NOW), passphraseFile: undefined }), (error) =>
    isNectarError(error, 'HOME_FORMAT_NEWER'),
  );
});
