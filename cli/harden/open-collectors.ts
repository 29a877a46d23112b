import type { Collector } from '../../hardening/collectors/collector.ts';
import type { FactSet } from '../../hardening/fact-set.ts';

/** Who looks, at what; closed when they have looked. */
export interface OpenCollectors {
  readonly node: FactSet['node'];
  readonly collectors: readonly Collector[];
  close(): Promise<void>;
}
