import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import {
  byKeyFile,
  createKeys,
  createRootKey,
  type Enrolment,
  byPassphrase as enrolPassphrase,
  type Keys,
  nodeEnvelopeCrypto,
} from '../../../../appliance/keys/index.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import type { RecordId } from '../../../../protocol/brand.ts';
import { type ErrorCode, isNectarError } from '../../../../protocol/errors.ts';

const passphrase = Buffer.from('correct horse battery staple');
const log = createLogger({ level: 'silent' });
const context = { recordId: '00112233445566778899aabbccddeeff' as RecordId, version: 1 };
const signal = new AbortController().signal;
let clock = 0;
const slept: number[] = [];
const deps = {
  crypto: nodeEnvelopeCrypto,
  log,
  now: () => new Date(clock),
  randomBytes: (n: number) => randomBytes(n),
  sleep: async (ms: number) => {
    slept.push(ms);
    clock += ms;
  },
};

let folder: string;
let home: string;
let keyFile: string;
let count = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nectar-keys-'));
});
after(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  count += 1;
  clock = Date.UTC(2026, 0, 1);
  slept.length = 0;
  home = join(folder, `home-${count}`);
  keyFile = join(folder, `secrets-${count}`, 'node.key');
});

const byFile = (): Enrolment => byKeyFile(keyFile);
const byPassphrase = (): Enrolment => enrolPassphrase(passphrase);

function keysFor(file = ''): Keys {
  return createKeys(
    { home, keyFile: file, unlockDelayMs: 1000, unlockDelayMaxMs: 4000 },
    { ...deps, metrics: createMetrics() },
  );
}

async function started(file = ''): Promise<Keys> {
  const keys = keysFor(file);
  await keys.start(signal);
  return keys;
}

function code(expected: ErrorCode) {
  return (error: unknown): boolean =>
    isNectarError(error, expected) || assert.fail(`${String(error)} is not ${expected}`);
}

test('starts locked, opens by passphrase, and derives the same keys every time', async () => {
  await createRootKey({ home, enroll: [byPassphrase()] }, deps);
  const keys = await started();
  assert.equal(keys.state(), 'locked');
  assert.equal(keys.readiness().ready, false);
  for (const call of [() => keys.derive('index'), () => keys.newDek(context)]) assert.throws(call, code('KEY_LOCKED'));
  const woken = keys.whenUnlocked(signal);
  await keys.unlock({ provider: 'passphrase', passphrase });
  await woken;
  assert.equal(keys.state(), 'unlocked');
  const purposes = ['index', 'audit-body', 'identity', 'rollup-db'] as const;
  const derived = purposes.map((purpose) => Buffer.from(keys.derive(purpose)).toString('hex'));
  assert.equal(new Set(derived).size, purposes.length);
  await keys.stop();
  assert.throws(() => keys.derive('index'), code('KEY_LOCKED'));
  await keys.start(signal);
  await keys.unlock({ provider: 'passphrase', passphrase });
  assert.deepEqual(
    purposes.map((purpose) => Buffer.from(keys.derive(purpose)).toString('hex')),
    derived,
  );
});

test('a key file opens the node by itself, beside a passphrase, to the same root key', async () => {
  await createRootKey({ home, keyFile, enroll: [byFile(), byPassphrase()] }, deps);
  const [a, b] = [await started(keyFile), await started()];
  assert.equal(a.state(), 'unlocked');
  await b.unlock({ provider: 'passphrase', passphrase });
  assert.deepEqual(a.derive('index'), b.derive('index'));
  assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
  assert.equal((await stat(join(home, 'keys.json'))).mode & 0o777, 0o600);
  assert.equal(a.list()[0]?.provider, 'file+passphrase');
});

test('a key file of which nothing says where it lies is not told as one that is not enrolled', async () => {
  await createRootKey({ home, keyFile, enroll: [byFile()] }, deps);
  const keys = await started();
  assert.equal(keys.state(), 'locked');
  await assert.rejects(keys.unlock({ provider: 'any' }), code('KEY_FILE_UNNAMED'));
});

test('another provider can be enrolled later', async () => {
  await createRootKey({ home, keyFile, enroll: [byFile()] }, deps);
  const keys = await started(keyFile);
  await assert.rejects(keys.unlock({ provider: 'passphrase', passphrase }), code('KEY_PROVIDER_UNAVAILABLE'));
  await keys.enroll(byPassphrase());
  const again = await started();
  await again.unlock({ provider: 'passphrase', passphrase });
  assert.deepEqual(again.derive('identity'), keys.derive('identity'));
});

test('a wrong passphrase is one error, with a growing, bounded delay before the next attempt', async () => {
  await createRootKey({ home, enroll: [byPassphrase()] }, deps);
  const keys = await started();
  for (let i = 0; i < 4; i++) {
    await assert.rejects(
      keys.unlock({ provider: 'passphrase', passphrase: Buffer.from(`wrong guess ${i}`) }),
      code('KEY_PASSPHRASE_WRONG'),
    );
  }
  assert.deepEqual(slept, [1000, 2000, 4000]);
  await keys.unlock({ provider: 'passphrase', passphrase });
  assert.deepEqual(slept, [1000, 2000, 4000, 4000]);
  assert.equal(keys.state(), 'unlocked');
});

test('attempts do not pile up', async () => {
  await createRootKey({ home, enroll: [byPassphrase()] }, deps);
  const keys = await started();
  const attempts = await Promise.allSettled(
    Array.from({ length: 6 }, () => keys.unlock({ provider: 'passphrase', passphrase: Buffer.from('not the one') })),
  );
  const busy = attempts.filter((a) => a.status === 'rejected' && isNectarError(a.reason, 'KEY_UNLOCK_BUSY'));
  assert.equal(busy.length, 2);
});

test('a key file is refused: missing, short, empty, open to others, another, inside the home', async () => {
  await createRootKey({ home, keyFile, enroll: [byFile()] }, deps);
  const good = await readFile(keyFile);
  const reason = async (file = keyFile): Promise<string> => {
    const keys = await started(file);
    const readiness = keys.readiness();
    assert.equal(keys.state(), 'locked');
    return readiness.ready ? 'ready' : readiness.reason;
  };
  assert.match(await reason(`${keyFile}.gone`), /is not there/);
  for (const bytes of [0, 31, 33]) {
    await writeFile(keyFile, randomBytes(bytes));
    assert.match(await reason(), new RegExp(`holds ${bytes} bytes`));
  }
  await writeFile(keyFile, randomBytes(32));
  assert.match(await reason(), /does not open/);
  await writeFile(keyFile, good);
  await chmod(keyFile, 0o640);
  assert.match(await reason(), /mode 0640/);
  await chmod(keyFile, 0o600);
  const inside = join(home, 'inside.key');
  await writeFile(inside, good, { mode: 0o600 });
  assert.match(await reason(inside), /inside the home/);
  const link = join(folder, `link-${count}`);
  await symlink(inside, link);
  assert.match(await reason(link), /inside the home/);
  await assert.rejects(
    createRootKey({ home: join(home, 'sub'), enroll: [byKeyFile(join(home, 'sub/x.key'))] }, deps),
    code('KEY_FILE_INSIDE_HOME'),
  );
});

test('rotation makes a new KEK; old DEKs still open and rewrap', async () => {
  await createRootKey({ home, keyFile, enroll: [byFile()] }, deps);
  const keys = await started(keyFile);
  const { dek, wrapped } = keys.newDek(context);
  assert.equal(wrapped.kekId, 'kek/1');
  assert.deepEqual(await Promise.all([keys.rotate(), keys.rotate()]), [
    { from: 'kek/1', to: 'kek/2', generation: 2 },
    { from: 'kek/2', to: 'kek/3', generation: 3 },
  ]);
  const rewrapped = keys.rewrapDek(wrapped, context);
  assert.equal(rewrapped.kekId, 'kek/3');
  const again = await started(keyFile);
  assert.deepEqual(Buffer.from(again.unwrapDek(wrapped, context)), Buffer.from(dek));
  assert.deepEqual(Buffer.from(again.unwrapDek(rewrapped, context)), Buffer.from(dek));
  assert.throws(() => again.unwrapDek({ ...wrapped, kekId: 'kek/3' }, context), code('KEY_UNWRAP_INVALID'));
  assert.throws(() => again.unwrapDek({ ...wrapped, kekId: 'kek/9' }, context), code('KEY_KEK_UNKNOWN'));
  assert.deepEqual(
    again.list().map((kek) => [kek.id, kek.current]),
    [
      ['kek/1', false],
      ['kek/2', false],
      ['kek/3', true],
    ],
  );
});

test('keys.json: never overwritten; damaged in any way it is refused before it costs memory', async () => {
  await createRootKey({ home, enroll: [byPassphrase()] }, deps);
  await assert.rejects(createRootKey({ home, enroll: [byPassphrase()] }, deps), code('KEY_STORE_EXISTS'));
  const path = join(home, 'keys.json');
  const text = await readFile(path, 'utf8');
  const damaged = [
    '',
    text.slice(0, 100),
    '[]',
    text.replace('"memoryKiB": 65536', '"memoryKiB": 99999999'),
    text.replace('"memoryKiB": 65536', '"memoryKiB": 1024'),
    text.replace('"passes": 3', '"passes": 100000'),
    text.replace('"current": "kek/1"', '"current": "kek/2"'),
    ' '.repeat(2 * 1024 * 1024),
  ];
  for (const bad of damaged) {
    assert.notEqual(bad, text);
    await writeFile(path, bad);
    await assert.rejects(keysFor().start(signal), code('KEY_STORE_INVALID'));
  }
  // One byte anywhere shows before there is a key; who writes the digest anew is found by the MAC.
  const older = text.replace(/"createdAt": "2026/, '"createdAt": "2025');
  await writeFile(path, older);
  await assert.rejects(keysFor().start(signal), code('KEY_STORE_INVALID'));
  const { digest: _, ...forged } = JSON.parse(older);
  const digest = createHash('sha256').update(JSON.stringify(forged)).digest('hex');
  await writeFile(path, JSON.stringify({ ...forged, digest }));
  const altered = await started();
  await assert.rejects(altered.unlock({ provider: 'passphrase', passphrase }), code('KEY_STORE_INVALID'));
  await rm(path);
  await assert.rejects(keysFor().start(signal), code('KEY_STORE_MISSING'));
});

test('a weak passphrase is not enrolled', async () => {
  await assert.rejects(
    createRootKey({ home, enroll: [enrolPassphrase(Buffer.from('short'))] }, deps),
    code('KEY_PASSPHRASE_WEAK'),
  );
  assert.deepEqual(await readdir(home), []);
});

test('identities: sealed under their name, unreadable when altered or moved', async () => {
  await createRootKey({ home, keyFile, enroll: [byFile()] }, deps);
  const keys = await started(keyFile);
  const secret = Buffer.from('the secret of the peer identity');
  await keys.sealIdentity('peer', secret);
  assert.deepEqual(Buffer.from(await keys.openIdentity('peer')), secret);
  const path = join(home, 'identity', 'peer.sealed');
  const sealed = await readFile(path);
  assert.equal(sealed.includes(secret), false);
  await writeFile(join(home, 'identity', 'other.sealed'), sealed);
  await assert.rejects(keys.openIdentity('other'), code('KEY_IDENTITY_INVALID'));
  sealed[40] = (sealed[40] ?? 0) ^ 1;
  await writeFile(path, sealed);
  await assert.rejects(keys.openIdentity('peer'), code('KEY_IDENTITY_INVALID'));
  await assert.rejects(keys.openIdentity('gone'), code('KEY_IDENTITY_MISSING'));
  await assert.rejects(keys.openIdentity('../peer'), code('KEY_IDENTITY_NAME_INVALID'));
});

test('waiting for the unlock ends with the signal', async () => {
  await createRootKey({ home, enroll: [byPassphrase()] }, deps);
  const keys = await started();
  const abort = new AbortController();
  const waiting = keys.whenUnlocked(abort.signal);
  abort.abort(new Error('stopping'));
  await assert.rejects(waiting, /stopping/);
});
