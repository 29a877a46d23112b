import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import {
  byKeyFile,
  byPassphrase,
  checkKeyStore,
  createKeyFreshness,
  createKeys,
  createRootKey,
  type KeyEvidence,
  type Keys,
  nodeEnvelopeCrypto,
} from '../../../../appliance/keys/index.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import type { RecordId } from '../../../../protocol/brand.ts';
import { type ErrorCode, isNectarError } from '../../../../protocol/errors.ts';
import VERSION_1 from '../../../vectors/keys/keys-json-version-1.json' with { type: 'json' };

const log = createLogger({ level: 'silent' });
const signal = new AbortController().signal;
const deps = {
  crypto: nodeEnvelopeCrypto,
  log,
  now: () => new Date(Date.UTC(2026, 0, 1)),
  randomBytes: (n: number) => new Uint8Array(randomBytes(n)),
};
const context = { recordId: '00112233445566778899aabbccddeeff' as RecordId, version: 1 };
const code = (expected: ErrorCode) => (error: unknown) => isNectarError(error, expected) || assert.fail(String(error));

let folder: string;
let home: string;
let keyFile: string;
let count = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nectar-fresh-'));
});
after(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  count += 1;
  home = join(folder, `home-${count}`);
  keyFile = join(folder, `secrets-${count}`, 'node.key');
});

/** The audit log, as far as it states generations. */
class LogDouble implements KeyEvidence {
  readonly details: Record<string, string | number>[] = [];
  async latest() {
    const stated = this.details.filter(({ file }) => file === 'keys').map(({ generation }) => Number(generation));
    return stated.length === 0 ? {} : { keys: Math.max(...stated) };
  }
  async append({ detail }: Parameters<KeyEvidence['append']>[0]) {
    return { index: this.details.push(detail) - 1 };
  }
  /** What the gateway does of a change. */
  state({ generation }: { generation: number }): void {
    this.details.push({ file: 'keys', generation });
  }
}

const opened: Keys[] = [];
after(async () => {
  for (const keys of opened) await keys.stop();
});

async function start(evidence: LogDouble): Promise<Keys> {
  const keys = createKeys(
    { home, keyFile, unlockDelayMs: 0, unlockDelayMaxMs: 0 },
    { ...deps, metrics: createMetrics() },
  );
  await keys.start(signal);
  opened.push(keys);
  await createKeyFreshness({ keys, evidence, log }).start(signal);
  return keys;
}

async function made(): Promise<LogDouble> {
  await createRootKey({ home, keyFile, enroll: [byKeyFile(keyFile)] }, deps);
  return new LogDouble();
}

test('the first start states the generation of the list, and the next finds it as stated', async () => {
  const evidence = await made();
  await start(evidence);
  assert.deepEqual(evidence.details, [{ file: 'keys', generation: 1, why: 'first' }]);
  assert.deepEqual((await start(evidence)).readiness(), { ready: true });
  assert.equal(evidence.details.length, 1);
});

test('an older keys.json put back opens and wraps nothing, start after start, until it is resolved', async () => {
  const evidence = await made();
  const older = await readFile(join(home, 'keys.json')).catch(() => assert.fail());
  const before = await start(evidence);
  evidence.state(await before.rotate());
  const { wrapped } = before.newDek(context);
  await writeFile(join(home, 'keys.json'), older);
  for (let again = 0; again < 2; again++) {
    const keys = await start(evidence);
    assert.equal(keys.state(), 'unlocked');
    const readiness = keys.readiness();
    assert.ok(!readiness.ready && readiness.reason.includes('older copy'), JSON.stringify(readiness));
    const blocked = code('KEY_STORE_BEHIND');
    for (const call of [() => keys.newDek(context), () => keys.unwrapDek(wrapped, context)])
      assert.throws(call, blocked);
    for (const call of [() => keys.rotate(), () => keys.retire(), () => keys.remove('file-1')])
      await assert.rejects(call(), blocked);
  }
  const keys = await start(evidence);
  const resolved = await keys.resolve();
  evidence.state(resolved);
  assert.deepEqual(resolved, { from: 'kek/1', to: 'kek/3', generation: 3 });
  assert.deepEqual(keys.readiness(), { ready: true });
  assert.equal(keys.newDek(context).wrapped.kekId, 'kek/3');
  // What the lost key wrapped stays closed, by a name of its own: kek/2 is not made a second time.
  assert.throws(() => keys.unwrapDek(wrapped, context), code('KEY_KEK_UNKNOWN'));
  assert.deepEqual((await start(evidence)).readiness(), { ready: true });
});

test('the next rotation after an older copy does not make the same key again', async () => {
  await made();
  const path = join(home, 'keys.json');
  const older = await readFile(path);
  const first = await start(new LogDouble());
  await first.rotate();
  const { dek, wrapped } = first.newDek(context);
  await writeFile(path, older);
  const second = await start(new LogDouble());
  await second.rotate();
  assert.throws(() => second.unwrapDek(wrapped, context), code('KEY_UNWRAP_INVALID'));
  dek.fill(0);
});

test('a change whose leaf was cut off by the end of the process is found and stated', async () => {
  const evidence = await made();
  await (await start(evidence)).rotate();
  const keys = await start(evidence);
  assert.deepEqual(keys.readiness(), { ready: true });
  assert.deepEqual(evidence.details.at(-1), { file: 'keys', generation: 2, why: 'found' });
});

test('a list that is newer than the log can explain is not taken for good', async () => {
  const evidence = await made();
  const keys = await start(evidence);
  await keys.rotate();
  await keys.rotate();
  const ahead = await start(evidence);
  assert.throws(() => ahead.newDek(context), code('KEY_STORE_AHEAD'));
  evidence.state(await ahead.resolve());
  assert.equal((await start(evidence)).generation(), 4);
});

test('a list of version 1 goes on, is written in version 2 at its first start, and does not come back', async () => {
  await mkdir(home, { recursive: true });
  await mkdir(join(folder, `secrets-${count}`));
  const path = join(home, 'keys.json');
  await writeFile(path, VERSION_1.keysJson);
  await writeFile(keyFile, Buffer.from(VERSION_1.keyFile, 'hex'), { mode: 0o600 });
  const evidence = new LogDouble();
  const keys = await start(evidence);
  assert.equal(Buffer.from(keys.derive('index')).toString('hex'), VERSION_1.index);
  const [first] = VERSION_1.deks.map(({ dek, kekId, sealed }) => {
    const wrapped = { kekId, sealed: Buffer.from(sealed, 'hex') };
    assert.equal(Buffer.from(keys.unwrapDek(wrapped, context)).toString('hex'), dek);
    return wrapped;
  });
  assert.ok(first);
  assert.equal(JSON.parse(await readFile(path, 'utf8')).version, 2);
  assert.deepEqual(evidence.details, [{ file: 'keys', generation: 1, why: 'first' }]);
  await keys.unlock({ provider: 'passphrase', passphrase: Buffer.from(VERSION_1.passphrase) });
  // Rotation leaves derived keys behind; retiring takes them from the list.
  const { to, generation } = await keys.rotate();
  assert.deepEqual([to, generation], ['kek/3', 2]);
  assert.equal(keys.rewrapDek(first, context).kekId, 'kek/3');
  evidence.state(await keys.retire());
  assert.throws(() => keys.unwrapDek(first, context), code('KEY_KEK_DESTROYED'));
  await writeFile(path, VERSION_1.keysJson);
  const back = await start(evidence);
  assert.throws(() => back.newDek(context), code('KEY_STORE_BEHIND'));
});

test('the end of a rekey destroys what is older than its own key, and nothing that a rotation made since', async () => {
  await made();
  const keys = await start(new LogDouble());
  const { wrapped: first } = keys.newDek(context);
  const { to: target } = await keys.rotate();
  const { wrapped: second } = keys.newDek(context);
  await keys.rotate();
  const { wrapped: third } = keys.newDek(context);
  assert.deepEqual((await keys.retire(target)).destroyed, ['kek/1']);
  assert.throws(() => keys.unwrapDek(first, context), code('KEY_KEK_DESTROYED'));
  for (const kept of [second, third]) assert.equal(keys.unwrapDek(kept, context).length, 32);
  assert.deepEqual((await keys.retire()).destroyed, [target]);
});

test('a passphrase that was enrolled in version 1 opens by the bytes it had', async () => {
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'keys.json'), VERSION_1.keysJson);
  const keys = createKeys(
    { home, keyFile: '', unlockDelayMs: 0, unlockDelayMaxMs: 0 },
    { ...deps, metrics: createMetrics() },
  );
  await keys.start(signal);
  opened.push(keys);
  await keys.unlock({ provider: 'passphrase', passphrase: Buffer.from(VERSION_1.passphrase) });
  assert.equal(keys.state(), 'unlocked');
});

test('one passphrase, however it is written: byte order mark, UTF-16, line end, composed or not', async () => {
  const passphrase = Buffer.from('Z\u00fcrich correct horse battery');
  await createRootKey(
    { home, enroll: [byPassphrase(Buffer.from('\ufeffZu\u0308rich correct horse battery\r\n'))] },
    deps,
  );
  const spellings = [
    passphrase,
    Buffer.from('Zu\u0308rich correct horse battery\n'),
    Buffer.concat([Buffer.from('\ufeff'), passphrase]),
    Buffer.from('\ufeffZ\u00fcrich correct horse battery\r\n', 'utf16le'),
    Buffer.from('\ufeffZu\u0308rich correct horse battery', 'utf16le').swap16(),
  ];
  for (const spelling of spellings) {
    const keys = createKeys(
      { home, keyFile: '', unlockDelayMs: 0, unlockDelayMaxMs: 0 },
      { ...deps, metrics: createMetrics() },
    );
    await keys.start(signal);
    await keys.unlock({ provider: 'passphrase', passphrase: spelling });
    await keys.stop();
  }
  const latin1 = Buffer.from('Z\u00fcrich correct horse battery', 'latin1');
  const enrolled = createRootKey({ home: `${home}-latin1`, enroll: [byPassphrase(latin1)] }, deps);
  await assert.rejects(enrolled, code('KEY_PASSPHRASE_INVALID'));
});

test('every byte of keys.json counts: one that is altered anywhere is named, before any secret is asked for', async () => {
  const path = join(home, 'keys.json');
  await createRootKey({ home, enroll: [byPassphrase(Buffer.from('five words that open this'))] }, deps);
  const good = await readFile(path);
  const value = JSON.stringify(JSON.parse(good.toString()));
  for (let at = 0; at < good.length; at += 1) {
    const bad = Buffer.from(good);
    bad[at] = (bad[at] ?? 0) ^ 1;
    await writeFile(path, bad);
    try {
      await checkKeyStore(home);
      // White space between values carries nothing: whatever passes, says the same.
      assert.equal(JSON.stringify(JSON.parse(bad.toString())), value, `byte ${at}`);
    } catch (error) {
      code('KEY_STORE_INVALID')(error);
    }
  }
});

test('a node that only a key file opens says as a fault why it does not; with a passphrase it waits for somebody', async () => {
  await createRootKey({ home, keyFile, enroll: [byKeyFile(keyFile)] }, deps);
  await rm(keyFile);
  const readiness = async () => {
    const keys = createKeys(
      { home, keyFile, unlockDelayMs: 0, unlockDelayMaxMs: 0 },
      { ...deps, metrics: createMetrics() },
    );
    await keys.start(signal);
    return keys.readiness();
  };
  assert.deepEqual(await readiness(), {
    ready: false,
    reason: `locked: the key file ${keyFile} is not there`,
    fault: { code: 'KEY_FILE_MISSING', data: { path: keyFile } },
  });
  home = `${home}-2`;
  const both = [byKeyFile(keyFile), byPassphrase(Buffer.from('five words that open this'))];
  await createRootKey({ home, keyFile, enroll: both }, deps);
  await rm(keyFile);
  const waits = await readiness();
  assert.ok(!waits.ready && waits.fault === undefined && waits.reason.includes('is not there'));
});
