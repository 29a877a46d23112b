import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createCertificates } from '../../../../appliance/gateway/tls.ts';
import {
  byKeyFile,
  byPassphrase,
  createRootKey,
  type Enrolment,
  nodeEnvelopeCrypto,
} from '../../../../appliance/keys/index.ts';
import { createFolderPlace } from '../../../../hardening/collectors/folder-place.ts';
import { createKeysCollector } from '../../../../hardening/collectors/keys.ts';
import type { LifeNotes } from '../../../../hardening/collectors/life-notes.ts';
import { createTokensCollector } from '../../../../hardening/collectors/tokens.ts';
import { encodeVerifierKey, SIGNATURE_TYPE } from '../../../../protocol/merkle/verifier-key.ts';
import { collect, failureOf, valuesOf } from './facts-of.ts';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-23T09:00:00Z');
const sealed = (): Buffer => Buffer.concat([Buffer.from([1]), randomBytes(92)]);

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-keys-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** A home with real keys, made `days` ago. */
async function makeHome(t: TestContext, enroll: readonly Enrolment[], days: number): Promise<string> {
  const home = await folderOf(t);
  const made = NOW - days * DAY_MS;
  const deps = { crypto: nodeEnvelopeCrypto, now: () => new Date(made), randomBytes };
  await createRootKey({ home, enroll: [...enroll] }, deps);
  await mkdir(join(home, 'identity'), { recursive: true });
  for (const name of ['p2p', 'operator', 'checkpoint', 'token', 'tls-ca']) {
    await writeFile(join(home, 'identity', `${name}.sealed`), sealed());
    await utimes(join(home, 'identity', `${name}.sealed`), made / 1000, made / 1000);
  }
  const raw = Buffer.from(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const identity = {
    peerId: '12D3KooWJ7HcDQK5LgRC9vqtBrHKy1Vc5QpRcPrXGzJfVLBrCxRm',
    operator: `0x${'ab'.repeat(20)}`,
    checkpointVkey: encodeVerifierKey({ name: 'nectar-byon/x', type: SIGNATURE_TYPE.ed25519, publicKey: raw }),
    tokenJwk: { kty: 'OKP', crv: 'Ed25519', x: 'x' },
  };
  await writeFile(join(home, 'identity', 'public.json'), JSON.stringify(identity));
  const tls = await createCertificates({ nodeId: 'ab'.repeat(16), hostName: 'clinic', names: [], now: made });
  await mkdir(join(home, 'tls'));
  await writeFile(join(home, 'tls', 'ca.crt'), tls.caCertificate);
  await writeFile(join(home, 'tls', 'server.crt'), tls.serverCertificate);
  await writeFile(join(home, 'tls', 'server.key'), tls.serverKey);
  return home;
}

function look(home: string, reportKey?: LifeNotes['reportKey']) {
  const places = { home: createFolderPlace({ name: 'home', folder: home, owners: [] }), volumes: undefined };
  return collect(
    { name: 'node', kinds: ['node'], privilege: '', collect: async () => [] },
    createKeysCollector({ places, notes: { reportKey }, now: () => NOW }),
  );
}

test('tells every key by name, age and what opens it, from files that the node itself wrote', async (t) => {
  const keyFile = join(await folderOf(t), 'root.key');
  const home = await makeHome(t, [byKeyFile(keyFile)], 400);
  const facts = await look(home, { createdAt: '2026-11-01T00:00:00Z', algorithm: 'Ed25519', passphrase: false });
  const table = facts.subjects
    .filter(({ kind }) => kind === 'key')
    .map(({ name }) => {
      const seen = valuesOf(facts, 'key', name);
      return [name, seen['key.name'], seen['key.ageDays'], seen['key.provider'], seen['key.algorithm']];
    });
  assert.deepEqual(table, [
    ['root/file', 'root', 400, 'file', 'AES-256-GCM'],
    ['kek/1', 'kek/1', 400, 'sealed', 'AES-256-GCM'],
    ['identity', 'identity', 400, 'sealed', 'Ed25519'],
    ['operator', 'operator', 400, 'sealed', 'EC secp256k1'],
    ['checkpoint', 'checkpoint', 400, 'sealed', 'Ed25519'],
    ['token', 'token', 400, 'sealed', 'Ed25519'],
    ['tls-ca', 'tls-ca', 400, 'sealed', 'EC P-256'],
    ['tls', 'tls', 400, 'plain', 'EC P-256'],
    ['report', 'report', 22, 'plain', 'Ed25519'],
  ]);
  assert.equal(valuesOf(facts, 'node', 'node')['node.recoveryKit'], false);
  assert.deepEqual(valuesOf(facts, 'key', 'root/file')['key.kdfPasses'], { absent: 'no passphrase opens it' });
});

test('tells how dear a guess of the passphrase is, and a second way to open the root key', async (t) => {
  const keyFile = join(await folderOf(t), 'root.key');
  const passphrase = new TextEncoder().encode('correct horse battery staple');
  const home = await makeHome(t, [byPassphrase(passphrase), byKeyFile(keyFile)], 1);
  const facts = await look(home);
  const seen = valuesOf(facts, 'key', 'root/passphrase');
  assert.deepEqual(
    [seen['key.provider'], seen['key.kdf'], seen['key.kdfMemoryKib'], seen['key.kdfPasses']],
    ['passphrase', 'argon2id', 65_536, 3],
  );
  assert.equal(valuesOf(facts, 'node', 'node')['node.recoveryKit'], true);
});

test('calls an identity that lies bare plain, and one that is gone not seen', async (t) => {
  const home = await makeHome(t, [byKeyFile(join(await folderOf(t), 'root.key'))], 1);
  const bare = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
  await writeFile(join(home, 'identity', 'checkpoint.sealed'), bare);
  await rm(join(home, 'identity', 'p2p.sealed'));
  const facts = await look(home);
  assert.equal(valuesOf(facts, 'key', 'checkpoint')['key.provider'], 'plain');
  assert.deepEqual(valuesOf(facts, 'key', 'identity')['key.ageDays'], { error: 'there is no identity/p2p.sealed' });
});

test('knows no key of a key store that it does not understand', async (t) => {
  const home = await makeHome(t, [byKeyFile(join(await folderOf(t), 'root.key'))], 1);
  const path = join(home, 'keys.json');
  const store = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...store, version: 3 }));
  assert.equal(failureOf(await look(home), 'keys'), 'keys.json is of another version');
  await writeFile(path, 'no JSON');
  assert.equal(failureOf(await look(home), 'keys'), 'keys.json is not JSON');
});

function token(change: Record<string, unknown>): Record<string, unknown> {
  const day = (days: number): string => new Date(NOW + days * DAY_MS).toISOString();
  return { subject: 'dr-mueller', scope: ['records:read'], createdAt: day(-1), expiresAt: day(29), ...change };
}

test('counts active tokens, those that may do everything, and those that nobody can be told by', async (t) => {
  const home = await folderOf(t);
  const tokens = [
    token({}),
    token({ subject: 'cli', scope: ['admin'], expiresAt: new Date(NOW + 365 * DAY_MS).toISOString() }),
    token({ subject: 'cli', scope: ['admin'] }),
    token({ subject: 'Admin', scope: ['audit:read'] }),
    token({ scope: ['admin'], revokedAt: '2026-11-22T00:00:00Z' }),
    token({ scope: ['admin'], expiresAt: '2026-11-22T00:00:00Z' }),
  ];
  await writeFile(join(home, 'tokens.json'), JSON.stringify({ version: 1, tokens }));
  const places = { home: createFolderPlace({ name: 'home', folder: home, owners: [] }), volumes: undefined };
  const facts = await collect(createTokensCollector({ places, now: () => NOW }));
  assert.deepEqual(valuesOf(facts, 'node', 'node'), {
    'node.tokensActive': 4,
    'node.tokensAdmin': 2,
    'node.tokensLongestDays': 366,
    'node.tokensUnnamed': 1,
    'node.tokensSharedSubject': 1,
    'node.tokenScopes': ['admin', 'audit:read', 'records:read'],
  });
});
