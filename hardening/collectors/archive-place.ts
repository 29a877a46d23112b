import type { EngineApi } from './engine-api.ts';
import type { Place, PlaceEntry } from './place.ts';
import { readTar, type TarEntry } from './read-tar.ts';

export interface ArchivePlaceOptions {
  readonly name: string;
  /** Name of the volume on the engine. */
  readonly volume: string;
  /** Name of a container that mounts it, running or not. */
  readonly container: string;
  /** Where it is mounted there. */
  readonly mountedAt: string;
  readonly owners: readonly number[];
}

/** A volume, read through the engine's archive of a container that mounts it: nothing is started, nothing is changed. */
export function createArchivePlace(options: ArchivePlaceOptions, engine: Pick<EngineApi, 'getStream'>): Place {
  const { name, volume, container, mountedAt, owners } = options;
  return {
    name,
    volume,
    owners,
    async *entries(signal, path) {
      const wanted = path === undefined ? mountedAt : `${mountedAt}/${path}`;
      const query = `/containers/${encodeURIComponent(container)}/archive?path=${encodeURIComponent(wanted)}`;
      const stream = await engine.getStream(query, signal);
      if (stream === undefined) {
        if (path !== undefined) return;
        throw new Error(`the engine has no ${mountedAt} in ${container}`);
      }
      // Members begin with the last name of the path that was asked for.
      const root = wanted.slice(wanted.lastIndexOf('/') + 1);
      for await (const entry of readTar(stream)) {
        signal.throwIfAborted();
        yield placeEntry(entry, { root, path });
      }
    },
  };
}

function placeEntry(entry: TarEntry, at: { readonly root: string; readonly path: string | undefined }): PlaceEntry {
  const below = entry.path === at.root ? '' : entry.path.slice(at.root.length + 1);
  const { mode, uid, bytes, modifiedAt } = entry;
  // A second name of a file that the archive has already: its content was seen there.
  const type = entry.type === 'hardlink' ? 'other' : entry.type;
  return {
    path: [at.path, below].filter((part) => part !== undefined && part !== '').join('/'),
    type,
    mode,
    uid,
    bytes,
    modifiedAt,
    content: () => entry.content(),
  };
}
