import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { purposeKey } from '../../../../appliance/keys/hierarchy.ts';
import { readIdentity } from '../../../../appliance/keys/identity-files.ts';
import {
  byKeyFile,
  byPassphrase,
  createKeyFreshness,
  createKeys,
  createRootKey,
  nodeEnvelopeCrypto as crypto,
  type Enrolment,
  type KeyEvidence,
  type Keys,
} from '../../../../appliance/keys/index.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import type { RecordId } from '../../../../protocol/brand.ts';
import { KEY_BYTES } from '../../../../protocol/envelope/crypto.ts';
import { type ErrorCode, isNectarError } from '../../../../protocol/errors.ts';
import VERSION_1 from '../../../vectors/keys/keys-json-version-1.json' with { type: 'json' };

const log = createLogger({ level: 'silent' });
const signal = new AbortController().signal;
const random = (n: number): Uint8Array => new Uint8Array(randomBytes(n));
const deps = { crypto, log, now: () => new Date(Date.UTC(2026, 0, 1)), randomBytes: random };
const context = { recordId: '00112233445566778899aabbccddeeff' as RecordId, version: 1 };
const code = (expected: ErrorCode) => (error: unknown) => isNectarError(error, expected) || assert.fail(String(error));
const PASSPHRASE = 'seven fresh words for a new root key';
const NAMES = ['checkpoint', 'operator', 'p2p'];
const PURPOSES = ['index', 'audit-body', 'rollup-db', 'backup'] as const;

let folder: string;
let home: string;
let keyFile: string;
let count = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nectar-root-'));
});
after(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  count += 1;
  home = join(folder, `home-${count}`);
  keyFile = join(folder, `secrets-${count}`, 'node.key');
});

type Leaf = Parameters<KeyEvidence['append']>[0];

/** The audit log, as far as it states generations; `onAppend` stands before and behind each leaf. */
class LogDouble implements KeyEvidence {
  readonly leaves: Leaf[];
  readonly #onAppend: () => void;
  constructor(leaves: readonly Leaf[] = [], onAppend: () => void = () => undefined) {
    this.leaves = [...leaves];
    this.#onAppend = onAppend;
  }
  async latest() {
    const stated = this.leaves.flatMap(({ detail }) => (detail.file === 'keys' ? [Number(detail.generation)] : []));
    return stated.length === 0 ? {} : { keys: Math.max(...stated) };
  }
  async append(leaf: Leaf) {
    this.#onAppend();
    const index = this.leaves.push(leaf) - 1;
    this.#onAppend();
    return { index };
  }
  /** What the gateway does of a change. */
  async state(detail: Leaf['detail']): Promise<void> {
    await this.append({
      type: 'key.root',
      outcome: 'success',
      context: { actor: { subject: 'a' }, requestId: 'b' },
      detail: { file: 'keys', ...detail },
    });
  }
  phases(): unknown[] {
    return this.leaves.flatMap(({ type, detail }) => (type === 'key.root' ? [detail.phase ?? 'made'] : []));
  }
}

const opened: Keys[] = [];
after(async () => {
  for (const keys of opened) await keys.stop();
});

async function start(evidence: LogDouble, { at = home, bytes = random } = {}) {
  const options = { home: at, keyFile, unlockDelayMs: 0, unlockDelayMaxMs: 0 };
  const keys = createKeys(options, { ...deps, randomBytes: bytes, metrics: createMetrics() });
  await keys.start(signal);
  opened.push(keys);
  const freshness = createKeyFreshness({ keys, evidence, log });
  if (keys.state() === 'unlocked') await freshness.start(signal);
  await freshness.stop();
  return { keys, freshness };
}

async function made(enroll: readonly Enrolment[] = [byKeyFile(keyFile)]): Promise<LogDouble> {
  await createRootKey({ home, keyFile, enroll }, deps);
  const evidence = new LogDouble();
  const { keys } = await start(evidence);
  for (const name of NAMES) await keys.sealIdentity(name, Buffer.from(`the ${name}`));
  return evidence;
}

/** Everything that hangs below the root key, as whoever uses it sees it. */
async function everything(keys: Keys, wrapped: ReturnType<Keys['newDek']>['wrapped']): Promise<string[]> {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const identities = await Promise.all(NAMES.map(async (name) => hex(await keys.openIdentity(name))));
  return [
    ...identities,
    // A secret of bodies grows in front; what it had before stays at its end.
    ...PURPOSES.map((purpose) => hex(keys.derive(purpose).subarray(purpose === 'audit-body' ? -KEY_BYTES : 0))),
    hex(keys.unwrapDek(wrapped, context)),
  ];
}

test('a new root key opens all that the one before opened, by the same secrets, and the one before opens nothing of it', async () => {
  const evidence = await made([byKeyFile(keyFile), byPassphrase(Buffer.from(PASSPHRASE))]);
  const { keys, freshness } = await start(evidence);
  const { wrapped } = keys.newDek(context);
  const [was, kit] = [await everything(keys, wrapped), keys.exportRoot()];
  const former = purposeKey(crypto, kit, 'identity');
  const replaced = await keys.replaceRoot({ without: [], secret: Buffer.from(PASSPHRASE) });
  assert.deepEqual(replaced, { providers: ['file-1', 'passphrase-1'], generation: 2 });
  await evidence.state({ generation: replaced.generation });
  assert.deepEqual(await everything(keys, wrapped), was);
  await freshness.look();
  assert.deepEqual(evidence.phases(), ['made', 'identities', 'done']);
  assert.deepEqual([keys.isUnsettled(), keys.generation()], [false, 3]);
  assert.deepEqual(await everything(keys, wrapped), was);
  assert.notDeepEqual(keys.exportRoot(), kit);
  for (const name of NAMES)
    await assert.rejects(readIdentity({ home, name, key: former, crypto }), code('KEY_IDENTITY_INVALID'));
  for (const secret of [{ provider: 'file' }, { provider: 'passphrase', passphrase: Buffer.from(PASSPHRASE) }]) {
    const { keys: again } = await start(evidence);
    await again.unlock(secret);
    assert.deepEqual(await everything(again, wrapped), was, secret.provider);
    assert.deepEqual(again.readiness(), { ready: true });
  }
  // A kit of recovery officers is the root key of its time.
  await writeFile(keyFile, random(32), { mode: 0o600 });
  const { keys: locked } = await start(evidence);
  assert.throws(() => locked.openWithRoot(kit), code('KEY_SHARES_WRONG'));
});

test('it is replaced again and again, and what is sealed by the first goes on opening', async () => {
  const evidence = await made();
  const { keys, freshness } = await start(evidence);
  const { wrapped } = keys.newDek(context);
  const was = await everything(keys, wrapped);
  const indexes = [Buffer.from(keys.derive('index')).toString('hex')];
  for (let round = 0; round < 3; round += 1) {
    await evidence.state({ generation: (await keys.replaceRoot({ without: [] })).generation });
    await assert.rejects(keys.replaceRoot({ without: [] }), code('KEY_ROOT_UNSETTLED'));
    await freshness.look();
    await assert.rejects(keys.replaceRoot({ without: [] }), code('KEY_ROOT_INDEX_PENDING'));
    await freshness.settleIndex();
    indexes.push(Buffer.from(keys.derive('index')).toString('hex'));
  }
  assert.equal(new Set(indexes).size, 4);
  was[NAMES.length] = indexes.at(-1) ?? assert.fail();
  const rotated = await keys.rotate();
  await evidence.state(rotated);
  const { keys: again } = await start(evidence);
  assert.deepEqual(await everything(again, wrapped), was);
  assert.deepEqual([again.readiness(), again.newDek(context).wrapped.kekId], [{ ready: true }, rotated.to]);
});

test('a provider that does not open now, or whose secret is not given, is named, and nothing changes', async () => {
  const evidence = await made([byKeyFile(keyFile), byPassphrase(Buffer.from(PASSPHRASE))]);
  const { keys } = await start(evidence);
  const list = await readFile(join(home, 'keys.json'));
  const closed = (id: string) => (error: unknown) =>
    (isNectarError(error, 'KEY_ROOT_PROVIDER_CLOSED') && error.data.id === id) || assert.fail(String(error));
  const secret = () => Buffer.from(PASSPHRASE);
  await assert.rejects(keys.replaceRoot({ without: [] }), closed('passphrase-1'));
  await assert.rejects(keys.replaceRoot({ without: [], secret: Buffer.from('another') }), closed('passphrase-1'));
  const bytes = await readFile(keyFile);
  for (const wrong of [random(32), random(31)]) {
    await writeFile(keyFile, wrong, { mode: 0o600 });
    await assert.rejects(keys.replaceRoot({ without: [], secret: secret() }), closed('file-1'));
  }
  await writeFile(keyFile, bytes, { mode: 0o600 });
  await assert.rejects(keys.replaceRoot({ without: ['tpm2-1'] }), code('KEY_PROVIDER_ABSENT'));
  await assert.rejects(keys.replaceRoot({ without: ['file-1', 'passphrase-1'] }), code('KEY_PROVIDER_LAST'));
  assert.deepEqual(await readFile(join(home, 'keys.json')), list);
  assert.deepEqual(await keys.replaceRoot({ without: ['passphrase-1'] }), { providers: ['file-1'], generation: 2 });
  assert.deepEqual(
    keys.providers().map(({ id }) => id),
    ['file-1'],
  );
});

test('an older keys.json put back after it is behind, and gives the old root key nothing to open', async () => {
  const evidence = await made();
  const older = await readFile(join(home, 'keys.json'));
  const { keys, freshness } = await start(evidence);
  await evidence.state({ generation: (await keys.replaceRoot({ without: [] })).generation });
  await freshness.look();
  await writeFile(join(home, 'keys.json'), older);
  await freshness.look();
  const running = keys.readiness();
  assert.ok(!running.ready && running.fault?.code === 'KEY_STORE_INVALID', JSON.stringify(running));
  const { keys: back } = await start(evidence);
  assert.throws(() => back.newDek(context), code('KEY_STORE_BEHIND'));
});

test('keys that derive from the root key are taken from the list first', async () => {
  await made();
  await writeFile(join(home, 'keys.json'), VERSION_1.keysJson);
  await writeFile(keyFile, Buffer.from(VERSION_1.keyFile, 'hex'), { mode: 0o600 });
  await rm(join(home, 'identity'), { recursive: true });
  const { keys } = await start(new LogDouble());
  const wanted = { without: ['passphrase-1'] };
  const id = keys.providers().find(({ attended }) => attended)?.id ?? assert.fail();
  await assert.rejects(keys.replaceRoot({ ...wanted, without: [id] }), code('KEY_ROOT_DERIVED'));
  await keys.rotate();
  await keys.retire();
  assert.equal((await keys.replaceRoot({ without: [id] })).providers.length, 1);
  assert.equal(Buffer.from(keys.derive('index')).toString('hex'), VERSION_1.index);
});

/** A copy of home and log at every value that is sealed and at both sides of every leaf: what an end of the process leaves there. */
test('a process that ends anywhere in it leaves a node that opens, and is settled by its next start', {
  timeout: 120_000,
}, async () => {
  const evidence = await made();
  const { keys: first } = await start(evidence);
  const { wrapped } = first.newDek(context);
  const was = await everything(first, wrapped);
  const ends: { at: string; leaves: Leaf[] }[] = [];
  let current: LogDouble | undefined;
  const end = (): void => {
    const at = join(folder, `end-${count}-${ends.length}`);
    cpSync(home, at, { recursive: true });
    ends.push({ at, leaves: [...(current?.leaves ?? [])] });
  };
  current = new LogDouble(evidence.leaves, end);
  const bytes = (n: number): Uint8Array => {
    end();
    return random(n);
  };
  const { keys, freshness } = await start(current, { bytes });
  await current.state({ generation: (await keys.replaceRoot({ without: [] })).generation });
  await freshness.look();
  end();
  assert.ok(ends.length > 2 * NAMES.length + 6, `${ends.length} ends`);
  const seen = new Set<string>();
  for (const { at, leaves } of ends) {
    const after = new LogDouble(leaves);
    for (const again of [0, 1]) {
      const { keys: next } = await start(after, { at });
      assert.deepEqual(await everything(next, wrapped), was, `${at} start ${again}`);
      assert.deepEqual([next.readiness(), next.isUnsettled()], [{ ready: true }, false], at);
      const replaced = next.generation() > 1;
      // The end is on record: by its own leaf, or, where that was cut off, by the one of the generation that was found.
      const { generation, phase, why } = after.leaves.at(-1)?.detail ?? {};
      if (replaced) assert.deepEqual([generation, phase ?? why], [3, phase === 'done' ? 'done' : 'found'], at);
      seen.add(`${replaced} ${after.phases().join()}`);
      await next.stop();
    }
    await rm(at, { recursive: true });
  }
  // Ended before the list, between the list and its leaf, and behind it.
  assert.ok(seen.has('false '), [...seen].join('; '));
  assert.ok(seen.has('true identities,done'), [...seen].join('; '));
  assert.ok(seen.has('true made,identities,done'), [...seen].join('; '));
});

test('a disk that takes no list leaves the root key that there was', async () => {
  const evidence = await made();
  const { keys } = await start(evidence);
  const { wrapped } = keys.newDek(context);
  const [was, root] = [await everything(keys, wrapped), keys.exportRoot()];
  await cp(home, `${home}-kept`, { recursive: true });
  await rm(home, { recursive: true });
  await writeFile(home, 'no folder');
  await assert.rejects(keys.replaceRoot({ without: [] }));
  await rm(home);
  await cp(`${home}-kept`, home, { recursive: true });
  assert.deepEqual([await everything(keys, wrapped), keys.exportRoot()], [was, root]);
});
