import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ArchiveFile, encodeArchive } from '../../provision/docker/archive.ts';
import type { MountSpec } from '../../provision/docker/desired-state.ts';
import type { Engine } from '../../provision/docker/engine.ts';
import type { VolumeAccess } from '../../provision/docker/fill-volumes.ts';
import { type HelperRequest, runHelper, withHelper } from '../../provision/docker/helper.ts';
import { type ContainerRole, NODE_HOME, objectName, UIDS } from '../../provision/docker/role-table.ts';

/** Sent together: so much is in memory at a time. */
const BATCH_BYTES = 16 * 1024 * 1024;
const BATCH_FILES = 512;
const [FOLDER_MODE, FILE_MODE] = [0o700, 0o600];

/** Which folder of a home goes where: volume, and folder in it. */
const PARTS: readonly { readonly from: string; readonly volume: ContainerRole; readonly to: string }[] = [
  { from: 'store', volume: 'store', to: '' },
  { from: 'audit', volume: 'audit', to: '' },
  { from: 'anchor', volume: 'rollup', to: 'anchor' },
];

/** Argument: a folder. Makes every file and folder below durable: only then is a restore a restore. */
const SYNC_TREE = `
import { closeSync, fsyncSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
const sync = (path) => { const fd = openSync(path, 'r'); try { fsyncSync(fd); } finally { closeSync(fd); } };
const walk = (folder) => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) walk(path); else sync(path);
  }
  sync(folder);
};
walk(process.argv[1]);
`;

/** Copies the data of a restored home into the volumes of its node, each for its own user, durably. */
export async function fillDataVolumes(engine: Engine, access: VolumeAccess, home: string): Promise<void> {
  for (const { from, volume, to } of PARTS) {
    const target = `${NODE_HOME}/${volume}`;
    const source = objectName(access.nodeId, volume);
    const mounts: MountSpec[] = [{ kind: 'volume', source, target, readOnly: false }];
    const { nodeId, version, images } = access;
    const helper: HelperRequest = { nodeId, version, image: images[volume], uid: UIDS[volume], mounts };
    await withHelper(engine, helper, async (name) => {
      for await (const batch of batches(join(home, from), { to, uid: UIDS[volume] }))
        await engine.containers.putArchive(name, target, await encodeArchive(batch));
    });
    await runHelper(engine, { ...helper, program: { source: SYNC_TREE, args: [target] } });
  }
}

interface Into {
  readonly to: string;
  readonly uid: number;
}

async function* batches(folder: string, into: Into): AsyncGenerator<ArchiveFile[]> {
  let batch: ArchiveFile[] = into.to === '' ? [] : [{ path: into.to, uid: into.uid, mode: FOLDER_MODE }];
  let bytes = 0;
  for await (const file of filesBelow(folder, into)) {
    batch.push(file);
    bytes += file.content?.length ?? 0;
    if (bytes < BATCH_BYTES && batch.length < BATCH_FILES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

async function* filesBelow(folder: string, { to, uid }: Into): AsyncGenerator<ArchiveFile> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const entry of entries) {
    const path = to === '' ? entry.name : `${to}/${entry.name}`;
    if (entry.isDirectory()) {
      yield { path, uid, mode: FOLDER_MODE };
      yield* filesBelow(join(folder, entry.name), { to: path, uid });
    } else if (entry.isFile()) {
      yield { path, uid, mode: FILE_MODE, content: await readFile(join(folder, entry.name)) };
    }
  }
}
