import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { byKeyFile, createKeys, createRootKey, nodeEnvelopeCrypto } from '../../../../appliance/keys/index.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';

const deps = {
  crypto: nodeEnvelopeCrypto,
  log: createLogger({ level: 'silent' }),
  now: () => new Date(Date.UTC(2026, 0, 1)),
  randomBytes: (n: number) => new Uint8Array(randomBytes(n)),
};

test('a key file that comes, or is another, while the node waits opens it, and the reason is that of now', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-retry-'));
  t.after(() => rm(folder, { recursive: true }));
  const [home, keyFile] = [join(folder, 'home'), join(folder, 'node.key')];
  await createRootKey({ home, keyFile, enroll: [byKeyFile(keyFile)] }, deps);
  const right = await readFile(keyFile);
  await rm(keyFile);
  t.mock.timers.enable({ apis: ['setInterval'] });
  const keys = createKeys(
    { home, keyFile, unlockDelayMs: 0, unlockDelayMaxMs: 0 },
    { ...deps, metrics: createMetrics() },
  );
  await keys.start(new AbortController().signal);
  const codeOf = () => {
    const readiness = keys.readiness();
    return readiness.ready ? 'ready' : readiness.fault?.code;
  };
  const until = async (wanted: string) => {
    t.mock.timers.tick(5_000);
    while (codeOf() !== wanted) await new Promise((resolve) => setImmediate(resolve));
  };
  assert.equal(codeOf(), 'KEY_FILE_MISSING');
  await writeFile(keyFile, randomBytes(32), { mode: 0o600 });
  await until('KEY_FILE_WRONG');
  await writeFile(keyFile, right, { mode: 0o600 });
  await until('ready');
  assert.equal(keys.state(), 'unlocked');
  await keys.stop();
});
