import type { Collector } from './collector.ts';
import { openDocument } from './document.ts';
import { look } from './look.ts';
import { openDescriptor } from './node-itself.ts';
import type { NodeSettings } from './node-settings.ts';

const TIMEOUT_MS = 5_000;
/** A date header is cut to whole seconds: on average half of one later. */
const HALF_SECOND_MS = 500;

export interface ClockDeps {
  readonly now: () => number;
  readonly fetch: typeof fetch;
}

/** How far the clock of this machine is from that of an L1 endpoint, by the Date header of its answer (RFC 9110, 6.6.1). */
export function createClockCollector(
  { settings }: { readonly settings: Pick<NodeSettings, 'effective' | 'descriptor'> },
  deps: ClockDeps,
): Collector {
  return {
    name: 'clock',
    kinds: [],
    adds: ['node.clockOffsetMs'],
    privilege: 'one HTTP request to an L1 endpoint of the node',
    async collect(signal) {
      const observation = await look(signal, () => firstOffset(endpointsOf(settings), deps, signal));
      return [{ kind: 'node', name: 'node', facts: { 'node.clockOffsetMs': observation } }];
    },
  };
}

function endpointsOf({ effective, descriptor }: Pick<NodeSettings, 'effective' | 'descriptor'>): readonly string[] {
  const own = openDocument(effective, 'the configuration').in('rollup', 'l1RpcUrls').texts();
  return own.length > 0 ? own : openDescriptor(descriptor).endpoints.l1Rpc;
}

async function firstOffset(urls: readonly string[], deps: ClockDeps, signal: AbortSignal): Promise<number> {
  const problems: string[] = [];
  for (const url of urls) {
    try {
      return await offsetOf(url, deps, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]));
    } catch (error) {
      signal.throwIfAborted();
      // The whole URL may hold a key.
      problems.push(`${new URL(url).hostname}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`no L1 endpoint told the time: ${problems.join('; ')}`);
}

async function offsetOf(url: string, { now, fetch: request }: ClockDeps, signal: AbortSignal): Promise<number> {
  const before = now();
  const answer = await request(url, { method: 'HEAD', redirect: 'manual', signal });
  const after = now();
  await answer.body?.cancel();
  const date = Date.parse(answer.headers.get('date') ?? '');
  if (Number.isNaN(date)) throw new Error('its answer has no date');
  return Math.round(Math.abs(date + HALF_SECOND_MS - (before + after) / 2));
}
