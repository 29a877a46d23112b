import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  byKeyFile,
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

const log = createLogger({ level: 'silent' });
const { signal } = new AbortController();
const deps = {
  crypto: nodeEnvelopeCrypto,
  log,
  now: () => new Date(Date.UTC(2026, 0, 1)),
  randomBytes: (n: number) => new Uint8Array(randomBytes(n)),
};
const context = { recordId: '00112233445566778899aabbccddeeff' as RecordId, version: 1 };
const code = (expected: ErrorCode) => (error: unknown) => isNectarError(error, expected) || assert.fail(String(error));

/** Files of the home that are changed while the node has them open. */
describe('keys.json and the sealed identities under a running node', () => {
  let folder: string;
  let path: string;
  let keys: Keys;
  let older: Uint8Array;
  let details: Record<string, string | number>[];
  let look: () => Promise<void>;

  async function open(): Promise<Keys> {
    const opened = createKeys(
      { home: join(folder, 'home'), keyFile: join(folder, 'node.key'), unlockDelayMs: 0, unlockDelayMaxMs: 0 },
      { ...deps, metrics: createMetrics() },
    );
    await opened.start(signal);
    return opened;
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nectar-running-'));
    const [home, keyFile] = [join(folder, 'home'), join(folder, 'node.key')];
    path = join(home, 'keys.json');
    await createRootKey({ home, keyFile, enroll: [byKeyFile(keyFile)] }, deps);
    older = await readFile(path);
    details = [];
    const evidence: KeyEvidence = {
      latest: async () => {
        const stated = details
          .filter(({ why }) => why === undefined || why === 'first')
          .map((of) => Number(of.generation));
        return stated.length === 0 ? {} : { keys: Math.max(...stated) };
      },
      append: async ({ detail, outcome }) => ({ index: details.push({ ...detail, outcome }) - 1 }),
    };
    keys = await open();
    await keys.sealIdentity('checkpoint', Buffer.from('a key'));
    const freshness = createKeyFreshness({ keys, evidence, log });
    await freshness.start(signal);
    look = () => freshness.look();
    details.push({ file: 'keys', generation: (await keys.rotate()).generation });
  });
  afterEach(async () => {
    await keys.stop();
    await rm(folder, { recursive: true });
  });

  const newer = async (): Promise<Uint8Array> => {
    const mine = await readFile(path);
    const other = await open();
    await other.rotate();
    await other.stop();
    const made = await readFile(path);
    await writeFile(path, mine);
    return made;
  };
  const states: Record<string, () => Promise<void>> = {
    KEY_STORE_BEHIND: () => writeFile(path, older),
    KEY_STORE_MISSING: () => rm(path),
    KEY_STORE_AHEAD: async () => writeFile(path, await newer()),
    KEY_STORE_INVALID: async () => writeFile(path, (await readFile(path, 'utf8')).replace('kek/1', 'kek/9')),
  };

  for (const [state, change] of Object.entries(states)) {
    it(`${state}: said at once, nothing is put under keys that a restart would lose, and what is there opens`, async () => {
      const { wrapped } = keys.newDek(context);
      await look();
      assert.deepEqual(keys.readiness(), { ready: true });
      const newest = await readFile(path);
      await change();
      await look();
      const readiness = keys.readiness();
      assert.ok(!readiness.ready && readiness.fault?.code === state, JSON.stringify(readiness));
      assert.deepEqual([details.at(-1)?.outcome, details.at(-1)?.why], ['failure', state]);
      assert.throws(() => keys.newDek(context), code(state as ErrorCode));
      await assert.rejects(keys.rotate(), code(state as ErrorCode));
      assert.equal(keys.unwrapDek(wrapped, context).length, 32);
      const said = details.length;
      await look();
      assert.equal(details.length, said, 'on record once');
      await writeFile(path, newest);
      await look();
      assert.deepEqual(keys.readiness(), { ready: true });
      assert.equal(details.at(-1)?.why, 'back');
    });

    it(`${state}: resolve writes the list that the node has in memory, and no key is lost`, async () => {
      const { wrapped } = keys.newDek(context);
      await change();
      await look();
      const resolved = await keys.resolve();
      details.push({ file: 'keys', generation: resolved.generation });
      await look();
      assert.deepEqual(keys.readiness(), { ready: true });
      await keys.stop();
      keys = await open();
      assert.equal(keys.generation(), resolved.generation);
      assert.equal(keys.unwrapDek(wrapped, context).length, 32);
    });
  }

  it('what was found at the start stays, whatever is put in place later', async () => {
    await writeFile(path, older);
    const behind = await open();
    const evidence: KeyEvidence = { latest: () => ({ keys: 2 }), append: async () => ({ index: 0 }) };
    const freshness = createKeyFreshness({ keys: behind, evidence, log });
    await freshness.start(signal);
    await freshness.look();
    assert.throws(() => behind.newDek(context), code('KEY_STORE_BEHIND'));
    await freshness.stop();
    await behind.stop();
  });

  it('a sealed identity that is gone or another one is named, and stops nothing that works', async () => {
    const sealed = join(folder, 'home', 'identity', 'checkpoint.sealed');
    const kept = await readFile(sealed);
    await look();
    await rm(sealed);
    await look();
    const gone = keys.readiness();
    assert.ok(!gone.ready && gone.fault?.code === 'KEY_IDENTITY_MISSING', JSON.stringify(gone));
    await writeFile(
      sealed,
      kept.map((byte, at) => (at === 40 ? byte ^ 1 : byte)),
    );
    await look();
    const altered = keys.readiness();
    assert.ok(!altered.ready && altered.fault?.code === 'KEY_IDENTITY_INVALID', JSON.stringify(altered));
    assert.equal(keys.newDek(context).dek.length, 32);
    await writeFile(sealed, kept);
    await look();
    assert.deepEqual(keys.readiness(), { ready: true });
  });

  it('a sealed identity that was damaged while the node was down is named from the start on, and may be put right', async () => {
    const sealed = join(folder, 'home', 'identity', 'checkpoint.sealed');
    const kept = await readFile(sealed);
    await writeFile(
      sealed,
      kept.map((byte, at) => (at === 40 ? byte ^ 1 : byte)),
    );
    const other = await open();
    const stated = other.generation();
    const evidence: KeyEvidence = { latest: async () => ({ keys: stated }), append: async () => ({ index: 0 }) };
    const freshness = createKeyFreshness({ keys: other, evidence, log });
    await freshness.start(signal);
    try {
      const damaged = other.readiness();
      assert.ok(!damaged.ready && damaged.fault?.code === 'KEY_IDENTITY_INVALID', JSON.stringify(damaged));
      await writeFile(sealed, kept);
      await freshness.look();
      assert.deepEqual(other.readiness(), { ready: true });
    } finally {
      await freshness.stop();
      await other.stop();
    }
  });
});
