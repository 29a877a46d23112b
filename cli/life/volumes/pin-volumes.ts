import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isStaged } from '../../../appliance/durable-file.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { atOneKeyList, indexKeyIn, requireIndexKey } from '../backup/at-one-key-list.ts';
import type { PinnedHome } from '../backup/collect.ts';
import { type BackupEntry, bytesEntry } from '../backup/entry.ts';
import { readSmallFiles } from '../backup/small-files.ts';
import { readEngineTar } from './engine-tar.ts';
import type { OpenVolumes } from './open-volumes.ts';
import { stageSmallFiles } from './stage-small-files.ts';

const ATTEMPTS = 20;
const PAUSE_MS = 100;
const INDEX_FILE = /^(\d{6,}\.(ldb|sst|log)|MANIFEST-\d{6,}|CURRENT)$/;

export interface PinVolumes {
  readonly home: string;
  readonly volumes: OpenVolumes;
  /** A file for the index, which is small beside the blocks. */
  readonly spool: string;
  /** A folder for the small files. */
  readonly staging: string;
  now(): number;
}

/**
 * The same order, and the same reasons, as for a home in one folder (backup/collect.ts); what differs is how a moment is held. The index
 * is copied whole, and copied again when its MANIFEST changed meanwhile: while that stays the same, no table comes or goes, and each
 * log's copy is a beginning of it.
 */
export async function pinVolumes({ home, volumes, spool, staging, now }: PinVolumes): Promise<PinnedHome> {
  const createdAt = new Date(now()).toISOString();
  const keyList = () => volumes.read('keys/keys.json');
  const indexKey = indexKeyIn(await keyList());
  await copyIndex(volumes, spool);
  try {
    const { checkpoint, bundles } = await atOneKeyList(keyList, async () => {
      requireIndexKey(indexKey, await keyList());
      const log = {
        checkpoint: await volumes.read('audit/checkpoint'),
        bundles: await listSizes(volumes, 'audit/bodies'),
      };
      await stageSmallFiles(home, volumes, staging);
      return log;
    });
    const small = await readSmallFiles(staging);
    return {
      createdAt,
      blocks: 0,
      async *entries() {
        yield* small;
        yield* indexEntries(spool);
        if (checkpoint !== undefined) yield bytesEntry('audit/checkpoint', checkpoint);
        yield* bundleEntries(volumes, bundles);
        yield* below(volumes, 'audit/tile', 'audit/tile');
        yield* below(volumes, 'rollup/anchor', 'anchor');
        yield* below(volumes, 'store/blocks', 'store/blocks');
        yield* below(volumes, 'store/held', 'store/held');
      },
      release: () => rm(spool, { force: true }),
    };
  } catch (error) {
    await rm(spool, { force: true });
    throw error;
  }
}

async function copyIndex(volumes: OpenVolumes, spool: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await readManifest(volumes);
    const tar = await volumes.tar('store/index');
    if (tar === undefined) throw new NectarError('BACKUP_SOURCE_UNSTABLE', { what: 'store/index' });
    await pipeline(tar, createWriteStream(spool, { mode: 0o600 }));
    const after = await readManifest(volumes);
    if (before !== undefined && after?.equals(before) === true) return;
    await sleep(PAUSE_MS);
  }
  await rm(spool, { force: true });
  throw new NectarError('BACKUP_SOURCE_UNSTABLE', { what: 'store/index' });
}

/** Name and content: a MANIFEST only grows. */
async function readManifest(volumes: OpenVolumes): Promise<Buffer | undefined> {
  const current = await volumes.read('store/index/CURRENT');
  if (current === undefined) return undefined;
  const name = Buffer.from(current).toString('latin1').trim();
  const manifest = INDEX_FILE.test(name) ? await volumes.read(`store/index/${name}`) : undefined;
  return manifest === undefined ? undefined : Buffer.concat([current, manifest]);
}

async function* indexEntries(spool: string): AsyncGenerator<BackupEntry> {
  for await (const { path, size, content } of readEngineTar(createReadStream(spool) as AsyncIterable<Uint8Array>)) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (INDEX_FILE.test(name)) yield { path: `store/index/${name}`, size, read: content };
  }
}

/** The bundles of the log and their sizes now: what is appended afterwards belongs to a later moment. */
async function listSizes(volumes: OpenVolumes, folder: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for await (const { path, size } of volumes.files(folder)) if (!isStaged(path)) sizes.set(path, size);
  return sizes;
}

async function* bundleEntries(volumes: OpenVolumes, sizes: ReadonlyMap<string, number>): AsyncGenerator<BackupEntry> {
  const last = [...sizes.keys()].toSorted().at(-1);
  for await (const { path, size, modifiedAt, content } of volumes.files('audit/bodies')) {
    const pinned = sizes.get(path);
    if (pinned === undefined) continue;
    const limit = path === last ? Math.min(size, pinned) : size;
    yield { path: `audit/bodies/${path}`, size: limit, modifiedAt, read: () => beginning(content(), limit) };
  }
}

async function* beginning(content: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of content) {
    if (left > 0) yield chunk.subarray(0, left);
    left -= Math.min(left, chunk.length);
  }
}

async function* below(volumes: OpenVolumes, folder: string, prefix: string): AsyncGenerator<BackupEntry> {
  for await (const { path, size, modifiedAt, content } of volumes.files(folder)) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (name.startsWith('.') || isStaged(name)) continue;
    yield { path: `${prefix}/${path}`, size, modifiedAt, read: content };
  }
}
