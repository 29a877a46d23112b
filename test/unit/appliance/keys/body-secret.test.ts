import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  byKeyFile,
  createKeys,
  createRootKey,
  nodeEnvelopeCrypto as crypto,
  type Keys,
} from '../../../../appliance/keys/index.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import type { RecordId } from '../../../../protocol/brand.ts';
import { continuesBodySecret, nextBodySecret } from '../../../../protocol/envelope/body-secret.ts';
import { KEY_BYTES } from '../../../../protocol/envelope/crypto.ts';

const log = createLogger({ level: 'silent' });
const random = (n: number): Uint8Array => new Uint8Array(randomBytes(n));
const deps = { crypto, log, now: () => new Date(Date.UTC(2026, 0, 1)), randomBytes: random };
const context = { recordId: '00112233445566778899aabbccddeeff' as RecordId, version: 1 };

/** The keys of a new home, opened as often as is asked for: each as another process. */
async function makeKeys(t: TestContext): Promise<() => Promise<Keys>> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-bodies-'));
  const [home, keyFile] = [join(folder, 'home'), join(folder, 'secrets', 'node.key')];
  await createRootKey({ home, keyFile, enroll: [byKeyFile(keyFile)] }, deps);
  const opened: Keys[] = [];
  t.after(async () => {
    for (const keys of opened) await keys.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return async () => {
    const options = { home, keyFile, unlockDelayMs: 0, unlockDelayMaxMs: 0 };
    const keys = createKeys(options, { ...deps, metrics: createMetrics() });
    await keys.start(new AbortController().signal);
    opened.push(keys);
    return keys;
  };
}

const stateOf = (keys: Keys): string | undefined =>
  keys.purposes().find(({ purpose }) => purpose === 'audit-body')?.state;

test('the bodies of the log get a key that no earlier root key opens, before those of before', async (t) => {
  const open = await makeKeys(t);
  const keys = await open();
  const first = keys.derive('audit-body');
  assert.equal(stateOf(keys), 'first');
  await keys.replaceRoot({ without: [] });
  const second = keys.derive('audit-body');
  assert.deepEqual([first.length, second.length], [KEY_BYTES, 2 * KEY_BYTES]);
  assert.ok(continuesBodySecret(second, first));
  const again = await open();
  assert.deepEqual([again.derive('audit-body'), stateOf(again)], [second, 'added']);
});

test('a list that a backup brought takes the secret of a newer log, under its own root key', async (t) => {
  const open = await makeKeys(t);
  const keys = await open();
  const { dek, wrapped } = keys.newDek(context);
  const others = (of: Keys): Uint8Array[] => (['index', 'rollup-db', 'backup'] as const).map((name) => of.derive(name));
  const was = others(keys);
  const later = nextBodySecret(keys.derive('audit-body'), random);
  const before = keys.generation();
  assert.deepEqual(await keys.adoptBodySecret(later), { generation: before + 1 });
  const again = await open();
  assert.deepEqual([again.derive('audit-body'), others(again)], [later, was]);
  assert.ok(Buffer.from(dek).equals(again.unwrapDek(wrapped, context)));
});
