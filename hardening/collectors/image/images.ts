import type { Subject } from '../../fact-set.ts';
import type { Collector } from '../collector.ts';
import { findContainers } from '../container/containers.ts';
import { type Document, openDocument } from '../document.ts';
import type { EngineApi, EngineNode } from '../engine-api.ts';
import { type ArchivedImage, readImageArchive } from './archive.ts';
import { type ImageContext, imageFacts } from './image-facts.ts';

export interface ImagesOptions {
  readonly api: EngineApi;
  readonly node: EngineNode;
  readonly context: ImageContext;
  /** Ids that the node's configuration names: for a role that has no container. */
  readonly imageIds: Readonly<Record<string, string>>;
}

interface Found {
  readonly role: string;
  readonly id: string;
  readonly inspection: Document;
  readonly history: Document;
}

/** The image that each role's container was made of: its configuration, its history, its files. */
export function createImagesCollector({ api, node, context, imageIds }: ImagesOptions): Collector {
  async function inspect(role: string, id: string, signal: AbortSignal): Promise<Found> {
    const path = `/images/${encodeURIComponent(id)}`;
    const inspection = openDocument(await api.getJson(`${path}/json`, signal));
    if (inspection.isAbsent) throw new Error(`the engine does not have the image ${id} of ${role}`);
    return { role, id, inspection, history: openDocument(await api.getJson(`${path}/history`, signal)) };
  }

  async function archived(ids: readonly string[], signal: AbortSignal): Promise<(id: string) => ArchivedImage> {
    try {
      const names = [...new Set(ids)].map((id) => `names=${encodeURIComponent(id)}`).join('&');
      const stream = await api.getStream(`/images/get?${names}`, signal);
      if (stream === undefined) throw new Error('the engine does not have the images any more');
      return await readImageArchive(stream, signal);
    } catch (error) {
      signal.throwIfAborted();
      return () => {
        throw error;
      };
    }
  }

  return {
    name: 'images',
    kinds: ['image'],
    privilege: "read access to the engine's API",
    async collect(signal) {
      const ids = new Map(Object.entries(imageIds));
      for (const { id, role } of await findContainers(api, node, signal)) {
        const container = openDocument(await api.getJson(`/containers/${id}/json`, signal));
        ids.set(role, container.in('Image').text());
      }
      const found: Found[] = [];
      for (const [role, id] of ids) found.push(await inspect(role, id, signal));
      const archive = await archived([...ids.values()], signal);
      return found.map(({ role, id, inspection, history }): Subject => {
        const name = inspection.in('RepoTags').texts()[0] ?? id;
        const files = (): ArchivedImage => archive(id);
        return { kind: 'image', name, facts: imageFacts({ role, id, inspection, history, files }, node, context) };
      });
    },
  };
}
