import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { readPublicIdentity } from '../../../../../appliance/config/index.ts';
import { KIND } from '../../../../../appliance/store/index-keys.ts';
import { backUpHome } from '../../../../../cli/life/backup/back-up-home.ts';
import {
  type BackupEntries,
  openFileEntries,
  openRepositoryEntries,
} from '../../../../../cli/life/repository/backup-entries.ts';
import type { encodeStatement } from '../../../../../protocol/backup/statement.ts';
import { isNectarError } from '../../../../../protocol/errors.ts';
import { NOW } from '../stored-home.ts';
import { Clinic } from './clinic.ts';

const clinic = new Clinic();
const { signal } = new AbortController();
const context = { actor: { subject: 'tester' }, requestId: 'r' };
const bodies = new Map<string, Buffer>();
let doomed = '';

before(async () => {
  await clinic.open();
  for (const bytes of [10, 500, 3_000_000]) {
    const { id, body } = await clinic.put(bytes);
    bodies.set(id, body);
  }
  doomed = (await clinic.put(20)).id;
  await clinic.backUp();
  await writeFile(join(clinic.folder, 'one.backup'));
  await clinic.destroy(doomed);
});
after(() => clinic.close());

async function writeFile(out: string): Promise<void> {
  const { sign, close } = await clinic.authority();
  const signer = {
    sign: async ({ nodeId: _, ...statement }: Parameters<typeof encodeStatement>[0]) =>
      (await sign({ kind: 'file', ...statement })).signature,
  };
  await backUpHome({ home: clinic.home, out, force: true, signer, signal, now: () => NOW, onBytes: () => undefined });
  await close();
}

/** Every version, head and small blob of the index is damaged. */
async function damage(): Promise<void> {
  await clinic.running.stop();
  const options = { keyEncoding: 'buffer', valueEncoding: 'buffer', compression: false } as const;
  const db = new ClassicLevel<Buffer, Buffer>(join(clinic.home, 'store/index'), options);
  const kinds: readonly number[] = [KIND.version, KIND.inlineBlock, KIND.head];
  for await (const key of db.keys()) if (kinds.includes(key[0] ?? 0)) await db.put(key, Buffer.alloc(90, 1));
  await db.close();
  await clinic.reopen();
}

async function takeBack(entries: BackupEntries): Promise<void> {
  const { store } = clinic.running;
  await store.fsck({ accept: false, context }, () => undefined);
  const versions = await store.adopt(entries.versions(), context, signal);
  assert.deepEqual([versions.adopted, versions.refused, versions.wanted.length], [3, 1, 2]);
  await store.adopt(entries.blobs(new Set(versions.wanted)), context, signal);
  const { lostVersions, records } = await store.fsck({ accept: false, context }, () => undefined);
  assert.deepEqual([records, lostVersions], [3, 0]);
  for (const [id, body] of bodies) assert.ok(body.equals(await clinic.running.get(id)), id);
  await assert.rejects(clinic.running.get(doomed), (error) => isNectarError(error, 'STORE_RECORD_SHREDDED'));
}

test('a node takes back from a repository what its index lost, and nothing that was destroyed', async () => {
  await damage();
  const scratch = join(clinic.folder, 'scratch');
  mkdirSync(scratch);
  const { checkpointVkey } = readPublicIdentity(clinic.home);
  const { repositoryKey, close } = await clinic.authority();
  await takeBack(await openRepositoryEntries({ target: clinic.target, checkpointVkey, scratch, repositoryKey }));
  await close();
});

test('the same from one file, which needs no key', async () => {
  await damage();
  const entries = await openFileEntries(join(clinic.folder, 'one.backup'), join(clinic.folder, 'unpacked'));
  await takeBack(entries);
  await entries.close();
});
