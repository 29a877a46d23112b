import { isNectarError } from '../../../protocol/errors.ts';
import type { MountSpec } from '../../provision/docker/desired-state.ts';
import type { Engine } from '../../provision/docker/engine.ts';
import type { VolumeAccess } from '../../provision/docker/fill-volumes.ts';
import { withHelper } from '../../provision/docker/helper.ts';
import { type DataVolume, NODE_HOME, objectName, UIDS } from '../../provision/docker/role-table.ts';
import { type EngineFile, readEngineTar } from './engine-tar.ts';

/** The data volumes of a node, read through a container that never runs. */
export interface OpenVolumes {
  /** The tar of a folder or file below the volumes, such as `store/index`; undefined when it is not there. */
  tar(path: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** The files in it, their paths relative to it. */
  files(path: string): AsyncGenerator<EngineFile>;
  /** One small file. */
  read(path: string): Promise<Uint8Array | undefined>;
}

const VOLUMES: readonly DataVolume[] = ['keys', 'store', 'audit', 'rollup', 'gateway'];
const MAX_SMALL_BYTES = 4 * 1024 * 1024;

/** Mounted read-only, in a container without network and rights, which is removed at the end. */
export function withVolumes<T>(
  engine: Engine,
  { spec }: { readonly spec: VolumeAccess },
  work: (volumes: OpenVolumes) => Promise<T>,
  wanted: readonly DataVolume[] = VOLUMES,
): Promise<T> {
  const { nodeId, version, images } = spec;
  const mounts = wanted.map((volume): MountSpec => {
    return { kind: 'volume', source: objectName(nodeId, volume), target: `${NODE_HOME}/${volume}`, readOnly: true };
  });
  const request = { nodeId, version, image: images.store, uid: UIDS.store, mounts };
  return withHelper(engine, request, (name) => work(openVolumes(engine, name)));
}

function openVolumes(engine: Engine, name: string): OpenVolumes {
  return volumesOver(async (path) => {
    try {
      return (await engine.containers.getArchive(name, `${NODE_HOME}/${path}`)) as AsyncIterable<Uint8Array>;
    } catch (error) {
      if (isNectarError(error, 'CLI_ENGINE_REFUSED') && error.data.status === 404) return undefined;
      throw error;
    }
  });
}

/** Over whatever gives the tar of a folder or file. */
export function volumesOver(tar: OpenVolumes['tar']): OpenVolumes {
  async function* files(path: string): AsyncGenerator<EngineFile> {
    const stream = await tar(path);
    if (stream === undefined) return;
    const last = path.split('/').at(-1) ?? '';
    for await (const file of readEngineTar(stream)) {
      yield { ...file, path: file.path === last ? '' : file.path.slice(last.length + 1) };
    }
  }
  return {
    tar,
    files,
    async read(path) {
      let found: Uint8Array | undefined;
      for await (const { size, content } of files(path)) {
        if (size > MAX_SMALL_BYTES || found !== undefined) return undefined;
        const chunks: Uint8Array[] = [];
        for await (const chunk of content()) chunks.push(Buffer.from(chunk));
        found = Buffer.concat(chunks);
      }
      return found;
    },
  };
}

/** Small files of some volumes, by volume and path; those that are not there are left out. */
export function readVolumeFiles(
  engine: Engine,
  access: VolumeAccess,
  wanted: Readonly<Partial<Record<DataVolume, readonly string[]>>>,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const names = Object.keys(wanted) as DataVolume[];
  const read = async (volumes: OpenVolumes): Promise<Map<string, Uint8Array>> => {
    const found = new Map<string, Uint8Array>();
    for (const path of names.flatMap((name) => (wanted[name] ?? []).map((file) => `${name}/${file}`))) {
      const bytes = await volumes.read(path);
      if (bytes !== undefined) found.set(path, bytes);
    }
    return found;
  };
  return withVolumes(engine, { spec: access }, read, names);
}
