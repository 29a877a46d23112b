import { statfs } from 'node:fs/promises';
import { basename } from 'node:path';
import { Gauge } from 'prom-client';
import type { Metrics } from './metrics.ts';

/** How full the file systems of some folders are, asked for at each scrape. One that does not answer has no sample. */
export function watchVolumes(registry: Metrics, folders: readonly string[]): void {
  const gauges = [
    ['nectar_volume_free_bytes', 'Bytes that the process may still write to the file system of a folder.', 'bavail'],
    ['nectar_volume_size_bytes', 'Bytes of that file system.', 'blocks'],
  ] as const;
  for (const [name, help, field] of gauges) {
    new Gauge({
      name,
      help,
      labelNames: ['volume'],
      registers: [registry],
      async collect() {
        this.reset();
        for (const folder of folders) {
          const found = await statfs(folder).catch(() => undefined);
          if (found !== undefined) this.set({ volume: basename(folder) }, found[field] * found.bsize);
        }
      },
    });
  }
}
