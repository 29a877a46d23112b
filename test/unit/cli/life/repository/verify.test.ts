import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readPublicIdentity } from '../../../../../appliance/config/index.ts';
import { createBackupKeys, createIdentitySigner, nodeEnvelopeCrypto } from '../../../../../appliance/keys/index.ts';
import type { TakenSnapshot } from '../../../../../cli/life/repository/take-snapshot.ts';
import { type VerifiedRepository, verifyRepository } from '../../../../../cli/life/repository/verify-repository.ts';
import { unlockKeys } from '../../../../../cli/life/unlock-keys.ts';
import { isNectarError } from '../../../../../protocol/errors.ts';
import { fakeTerminal } from '../../capture.ts';
import { Clinic } from './clinic.ts';

const clinic = new Clinic();
const { terminal } = fakeTerminal();
const { signal } = new AbortController();
let taken: TakenSnapshot;

async function verify(
  change: { whole?: boolean; keys?: boolean; generation?: number; onRecord?: number } = {},
): Promise<VerifiedRepository> {
  const { home, keyFile, target } = clinic;
  const keys = await unlockKeys({ home, terminal, keyFile });
  const { nodeId } = readPublicIdentity(home);
  const own = createBackupKeys(
    { nodeId },
    { keys, signer: createIdentitySigner(keys, 'checkpoint'), crypto: nodeEnvelopeCrypto },
  );
  const { repository, noteSha256, createdAt } = taken;
  try {
    return await verifyRepository({
      ...{ home, target, scratch: clinic.folder, sample: 3, signal, onBytes: () => undefined },
      whole: change.whole ?? true,
      known: {
        target: target.url,
        repository,
        generation: change.generation ?? taken.generation,
        noteSha256,
        createdAt,
      },
      authority: {
        sign: () => Promise.reject(new Error('a verification signs nothing')),
        repositoryKey: (id) => own.repositoryKey(id),
        generationOnRecord: async () => change.onRecord,
        close: async () => undefined,
      },
      unlock: change.keys === false ? undefined : (folder) => unlockKeys({ home: folder, terminal, keyFile }),
    });
  } finally {
    await keys.stop();
  }
}

before(async () => {
  await clinic.open();
  for (const bytes of [0, 10, 70_000, 2_000_000]) await clinic.put(bytes);
  taken = await clinic.backUp();
});
after(() => clinic.close());

test('restores the newest snapshot, reads records, and leaves nothing', async () => {
  const beforehand = readdirSync(clinic.folder);
  const whole = await verify();
  assert.deepEqual([whole.faults, whole.opened, whole.records], [[], true, 3]);
  assert.ok(whole.leaves >= 4 && whole.bytes > 2_000_000 && whole.entries > 12, JSON.stringify(whole));
  const quick = await verify({ whole: false });
  assert.deepEqual([quick.faults, quick.records], [[], 3]);
  assert.deepEqual(readdirSync(clinic.folder), beforehand);
});

test('without the keys it compares objects and opens nothing', async () => {
  const { faults, opened, records, objects } = await verify({ keys: false });
  assert.deepEqual([faults, opened, records], [[], false, 0]);
  assert.ok(objects > 2, String(objects));
});

test('says of each object that is gone or altered that it is', async () => {
  const objects = readdirSync(join(clinic.repository, 'objects'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const [table = ''] = readdirSync(join(clinic.repository, 'keys')).map((name) =>
    join(clinic.repository, 'keys', name),
  );
  assert.ok(objects.length >= 5);
  for (const path of [...objects, table]) {
    const bytes = readFileSync(path);
    rmSync(path);
    assert.notEqual((await verify()).faults.length, 0, `gone: ${path}`);
    assert.notEqual((await verify({ keys: false })).faults.length, 0, `gone: ${path}`);
    const changed = Buffer.from(bytes);
    changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1;
    writeFileSync(path, changed);
    assert.notEqual((await verify()).faults.length, 0, `altered: ${path}`);
    writeFileSync(path, bytes);
  }
  assert.deepEqual((await verify()).faults, []);
});

test('refuses a repository that is older than the node knows it', async () => {
  for (const change of [{ generation: 9 }, { onRecord: 9 }])
    await assert.rejects(verify(change), (error) => isNectarError(error, 'BACKUP_REPOSITORY_BEHIND'));
});
