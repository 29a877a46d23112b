import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findVolumeMarks, MARK_FILE } from '../../appliance/volume-marks.ts';
import { NectarError } from '../../protocol/errors.ts';
import { desiredState } from '../provision/docker/desired-state.ts';
import type { Engine } from '../provision/docker/engine.ts';
import { findLostVolumes } from '../provision/docker/kept-volumes.ts';
import { type DockerNode, readDockerNode } from '../provision/docker/node-spec.ts';
import { nodeLabel } from '../provision/docker/role-table.ts';
import { stopContainers } from '../provision/docker/stop-containers.ts';
import { type OpenVolumes, withVolumes } from './volumes/open-volumes.ts';
import { stageSmallFiles } from './volumes/stage-small-files.ts';

const STOP_MS = 30_000;

export interface OverLostStore {
  readonly home: string;
  readonly engine: Engine;
  /** Where the home goes, with what its volumes still have. */
  readonly aside: string;
}

/** For a restore in the place of a node in containers. */
export interface Replacing {
  /** Once the backup is verified, and not before: takes away what the engine has of the node. */
  replace(): Promise<void>;
}

/**
 * Makes way for a restore of a node in containers whose records are lost: its home is moved aside, and what the other volumes hold that
 * is newer than any backup, the log and the key list, is copied to it. Only a lost store is made way for: one that is there may have
 * records that no backup has.
 *
 * @throws NectarError CLI_USAGE
 */
export async function overLostStore<T>(
  { home, engine, aside }: OverLostStore,
  work: (replacing: Replacing) => Promise<T>,
): Promise<T> {
  const node = readDockerNode(home);
  await requireLostStore(engine, node);
  const state = desiredState(node.spec);
  await stopContainers(engine, state, { timeoutMs: STOP_MS, say: () => undefined });
  await rename(home, aside);
  let replaced = false;
  try {
    await copyRemains(engine, node, aside);
    return await work({
      async replace() {
        replaced = true;
        await removeObjects(engine, node.spec.nodeId);
      },
    });
  } catch (error) {
    // From then on only the restored node, or another attempt with --log, can have the place.
    if (!replaced) await rename(aside, home);
    throw error;
  }
}

async function requireLostStore(engine: Engine, node: DockerNode): Promise<void> {
  const lost = await findLostVolumes(engine, desiredState(node.spec));
  if (lost.some(({ volume }) => volume === 'store')) return;
  const expected = findVolumeMarks(node.home)?.volumes.store?.id;
  const found = await withVolumes(engine, node, (volumes) => volumes.read(`store/${MARK_FILE}`), ['store']);
  const text = Buffer.from(found ?? []).toString('utf8');
  if (expected !== undefined && !text.includes(expected)) return;
  throw new NectarError('CLI_USAGE', {
    problem:
      'the store volume of the node is there, with records that a backup may not have: --over is for one whose store volume is lost',
  });
}

async function copyRemains(engine: Engine, node: DockerNode, aside: string): Promise<void> {
  const lost = (await findLostVolumes(engine, desiredState(node.spec))).map(({ volume }) => volume);
  const there = (['keys', 'audit', 'gateway'] as const).filter((volume) => !lost.includes(volume));
  await withVolumes(
    engine,
    node,
    async (volumes) => {
      if (there.includes('audit')) await copyFolder(volumes, 'audit', join(aside, 'audit'));
      if (there.includes('keys')) await stageSmallFiles(aside, volumes, join(aside, 'volumes'));
    },
    there,
  );
}

async function copyFolder(volumes: OpenVolumes, from: string, to: string): Promise<void> {
  for await (const { path, content } of volumes.files(from)) {
    if (path.split('/').some((part) => part === '..' || part === '')) continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of content()) chunks.push(Buffer.from(chunk));
    await mkdir(dirname(join(to, path)), { recursive: true, mode: 0o700 });
    await writeFile(join(to, path), Buffer.concat(chunks), { mode: 0o600 });
  }
}

/** By the node's label, as ever; no key is overwritten: the restored node has the same ones. */
async function removeObjects(engine: Engine, nodeId: string): Promise<void> {
  const label = [nodeLabel(nodeId)];
  for (const { Id } of await engine.containers.list(label)) await engine.containers.remove(Id, { force: true });
  for (const { Name } of await engine.volumes.list(label)) await engine.volumes.remove(Name);
  for (const { Id } of await engine.networks.list(label)) await engine.networks.remove(Id);
}
