import { Gauge } from 'prom-client';
import type { Metrics } from '../../telemetry/index.ts';

/** How far the index of logs is; undefined while that is not known. */
export interface LogIndexPlace {
  /** The first block that is not in it. */
  readonly next: bigint;
  /** The newest block of the chain. */
  readonly head: bigint;
}

/** Read when somebody asks for the metrics: no sample at all is better than one of before the start. */
export function addLogIndexMetric(registry: Metrics, read: () => LogIndexPlace | undefined): void {
  new Gauge({
    name: 'nectar_rollup_log_index_blocks',
    help: 'Blocks of L2 whose logs are in the index, and blocks by which it is behind the head',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.reset();
      const place = read();
      if (place === undefined) return;
      const behind = Number(place.head + 1n - place.next);
      this.set({ state: 'indexed' }, Number(place.next));
      // After a rewind the index holds blocks that are gone, for a moment.
      this.set({ state: 'behind' }, Math.max(0, behind));
    },
  });
}
