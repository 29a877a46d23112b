import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readPublicIdentity } from '../../../../appliance/config/index.ts';
import { createTokenSigner, createTokens } from '../../../../appliance/gateway/index.ts';
import { byKeyFile } from '../../../../appliance/keys/index.ts';
import { peerIdOfSeed } from '../../../../appliance/p2p/identity.ts';
import { createHome, type HomeRequest } from '../../../../cli/provision/process/create-home.ts';
import { openKeys } from '../../../../cli/provision/process/open-keys.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { parseVerifierKey } from '../../../../protocol/merkle/verifier-key.ts';
import { holdElsewhere } from '../../appliance/holding.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-home-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const { signal } = new AbortController();
const NOW = Date.UTC(2026, 10, 23);

const request = (name: string, change: Partial<HomeRequest> = {}): HomeRequest => ({
  home: join(folder, name),
  enrol: byKeyFile(join(folder, `${name}.key`)),
  config: { version: 1, keys: { keyFile: join(folder, `${name}.key`) } },
  descriptor: Buffer.from('{"signed":true}\n'),
  names: ['node.clinic.example'],
  signal,
  now: () => NOW,
  ...change,
});

test('makes a home that opens with its key file and with nothing else', async () => {
  const wanted = request('a');
  const made = await createHome(wanted, () => undefined);
  assert.deepEqual(readPublicIdentity(wanted.home), made);
  assert.deepEqual(
    readdirSync(wanted.home).toSorted(),
    [
      ...['client', 'config.json', 'identity', 'keys.json', 'logs', 'network.json', 'run', 'tls', 'tokens.json'],
      ...['audit', 'store', 'volumes.json'],
    ].toSorted(),
  );
  assert.equal(statSync(wanted.home).mode & 0o777, 0o700);
  for (const secret of ['client/token', 'tls/server.key', 'keys.json']) {
    assert.equal(statSync(join(wanted.home, secret)).mode & 0o077, 0, secret);
  }
  const keys = await openKeys({ home: wanted.home, keyFile: join(folder, 'a.key'), now: () => NOW, signal });
  assert.equal(await peerIdOfSeed(await keys.openIdentity('p2p')), made.peerId);
  assert.equal((await keys.openIdentity('operator')).length, 32);
  const tokens = await createTokens(
    { path: join(wanted.home, 'tokens.json'), nodeId: made.nodeId, publicJwk: made.tokenJwk },
    {
      signer: createTokenSigner(await keys.openIdentity('token')),
      now: () => NOW,
      randomBytes: (length) => new Uint8Array(length),
    },
  );
  const principal = await tokens.verify(readFileSync(join(wanted.home, 'client', 'token'), 'utf8').trim());
  assert.deepEqual([...principal.scopes], ['admin']);
  await keys.stop();
  const locked = await openKeys({ home: wanted.home, keyFile: '', now: () => NOW, signal });
  assert.equal(locked.state(), 'locked');
  await locked.stop();
});

test('its certificate is for the names asked for and of its own CA; its checkpoints have a key', async () => {
  const wanted = request('tls');
  const made = await createHome(wanted, () => undefined);
  const [ca, server] = ['ca.crt', 'server.crt'].map(
    (name) => new X509Certificate(readFileSync(join(wanted.home, 'tls', name))),
  );
  assert.ok(ca && server);
  assert.ok(server.verify(ca.publicKey));
  for (const name of ['DNS:node.clinic.example', 'DNS:localhost', 'IP Address:127.0.0.1']) {
    assert.ok(server.subjectAltName?.includes(name), name);
  }
  assert.equal(parseVerifierKey(made.checkpointVkey).name, `nectar-byon/${made.nodeId}`);
});

test('refuses a folder that holds anything, and takes an empty one', async () => {
  const wanted = request('full');
  mkdirSync(wanted.home);
  await createHome(wanted, () => undefined);
  const before = readFileSync(join(wanted.home, 'keys.json'));
  await assert.rejects(
    createHome(wanted, () => undefined),
    (error) => isNectarError(error, 'CLI_HOME_EXISTS'),
  );
  assert.deepEqual(readFileSync(join(wanted.home, 'keys.json')), before);
});

test('interrupted at any step it leaves nothing behind, and an existing key file stays', async () => {
  for (const at of [1, 2, 3, 4, 5]) {
    const abort = new AbortController();
    const wanted = request(`cut-${at}`, { signal: abort.signal });
    const before = readdirSync(folder);
    if (at === 3) writeFileSync(join(folder, 'cut-3.key'), Buffer.alloc(32, 1), { mode: 0o600 });
    let steps = 0;
    const cut = createHome(wanted, () => {
      steps += 1;
      if (steps === at) abort.abort(new Error('cut'));
    });
    await assert.rejects(cut);
    assert.deepEqual(
      readdirSync(folder).toSorted(),
      [...before, ...(at === 3 ? ['cut-3.key'] : [])].toSorted(),
      `step ${at}`,
    );
  }
});

test('clears away what a killed init left, and not what a living one builds, whatever their numbers', async () => {
  // Of before the lock: a process id, which lives today as somebody else's.
  const older = join(folder, `swept.partial-${process.ppid}`);
  mkdirSync(join(older, 'identity'), { recursive: true });
  const [killed, living] = ['0123456789abcdef', 'fedcba9876543210'].map((id) => join(folder, `swept.partial-${id}`));
  const lockOf = (path = ''): string => join(path, 'run', 'lock-making');
  const [first, second] = [await holdElsewhere(lockOf(killed), 'init'), await holdElsewhere(lockOf(living), 'init')];
  await first.kill();
  const another = join(folder, 'swept-too.partial-0123456789abcdef');
  mkdirSync(another);
  await createHome(request('swept'), () => undefined);
  assert.deepEqual(
    [older, killed, living, another].map((path) => existsSync(path ?? '')),
    [false, false, true, true],
  );
  await second.release();
});

test('a key file inside the home is refused', async () => {
  const home = join(folder, 'inside');
  const wanted = request('inside', { enrol: byKeyFile(join(home, 'node.key')) });
  await assert.rejects(
    createHome(wanted, () => undefined),
    (error) => isNectarError(error, 'KEY_FILE_INSIDE_HOME'),
  );
  assert.ok(!existsSync(home));
});
