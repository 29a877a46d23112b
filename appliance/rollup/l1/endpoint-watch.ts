import { setTimeout as delay } from 'node:timers/promises';
import type { Hex } from '../../../protocol/brand.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { EndpointStanding, EndpointState, Endpoints } from './endpoints.ts';
import { type L1Header, parseHeader } from './header.ts';
import type { EndpointRpc } from './json-rpc.ts';
import { whyUnreachable } from './why-unreachable.ts';

export interface EndpointWatchOptions {
  readonly pollMs: number;
  /** Blocks by which an endpoint may be behind the best one. */
  readonly maxLag: bigint;
  /** Blocks below the older head at which the endpoints must say the same: reorgs do not go deeper. */
  readonly depth: bigint;
}

export interface EndpointWatchDeps {
  readonly endpoints: Endpoints;
  readonly rpc: Pick<EndpointRpc, 'callAt'>;
  /** What this node has derived from: the newest L1 block, and its hash at a number. */
  readonly derived: {
    head(): Promise<bigint>;
    hashAt(number: bigint): Promise<Hex | undefined>;
  };
  readonly log: Logger;
  /** Told after each comparison. */
  readonly onCompared?: (states: readonly EndpointState[]) => void;
}

/** Holds several endpoints against each other and against what the node has verified. With one endpoint it does nothing. */
export interface EndpointWatch {
  run(signal: AbortSignal): Promise<void>;
  /** Compares now. */
  look(signal: AbortSignal): Promise<void>;
  /**
   * Whether L1 was replaced deeper than reorgs go, by the word of every endpoint. One that is silent or still has what was verified
   * is enough to say no: the node waits then, since an operator who runs several wants no single one believed.
   */
  confirmsDeepReorg(signal: AbortSignal): Promise<boolean>;
}

interface Look {
  readonly index: number;
  readonly head: L1Header | undefined;
  /** At the number that all are compared at; undefined: it does not say, or has no such block. */
  hash?: Hex;
}

export function createEndpointWatch(options: EndpointWatchOptions, deps: EndpointWatchDeps): EndpointWatch {
  const { endpoints, rpc, derived, log } = deps;

  async function read(index: number, block: string, signal: AbortSignal): Promise<L1Header | undefined> {
    try {
      const answer = await rpc.callAt(index, 'eth_getBlockByNumber', [block, false], signal);
      return answer === null ? undefined : parseHeader(answer);
    } catch (error) {
      signal.throwIfAborted();
      endpoints.failed(index, whyUnreachable(error));
      return undefined;
    }
  }

  /** The highest number that every endpoint should have and agree on, and that this node has derived from. */
  async function comparedAt(looks: readonly Look[]): Promise<bigint | undefined> {
    const numbers = looks.flatMap(({ head }) => (head === undefined ? [] : [head.number]));
    let oldest = await derived.head();
    for (const number of numbers) if (number < oldest) oldest = number;
    return numbers.length === 0 || oldest < options.depth ? undefined : oldest - options.depth;
  }

  async function look(signal: AbortSignal): Promise<void> {
    if (endpoints.urls.length < 2) return;
    const indexes = [...endpoints.urls.keys()];
    const looks: Look[] = await Promise.all(
      indexes.map(async (index) => ({ index, head: await read(index, 'latest', signal) })),
    );
    const number = await comparedAt(looks);
    const verified = number === undefined ? undefined : await derived.hashAt(number);
    if (number !== undefined && verified !== undefined) {
      const block = `0x${number.toString(16)}`;
      await Promise.all(
        looks.map(async (each) => {
          const header = each.head && (await read(each.index, block, signal));
          if (header?.number === number) each.hash = header.hash;
        }),
      );
    }
    judge(looks, number, verified);
  }

  function judge(looks: readonly Look[], number: bigint | undefined, verified: Hex | undefined): void {
    const contradicts = ({ hash }: Look): boolean => verified !== undefined && hash !== undefined && hash !== verified;
    // All of them, and all alike: then it is L1 that was replaced, and derivation follows it.
    const isReorg = looks.every((each) => contradicts(each) && each.hash === looks[0]?.hash);
    // Another chain may be longer: what it says makes nobody late.
    const trusted = looks.filter((each) => isReorg || !contradicts(each));
    const best = trusted.reduce(
      (most, { head }) => (head !== undefined && head.number > most ? head.number : most),
      0n,
    );
    const before = endpoints.list();
    for (const each of looks) {
      const { index, head } = each;
      const standing = standingOf(each, best, contradicts(each) && !isReorg);
      const known = head && { head: head.number, lag: best > head.number ? best - head.number : 0n };
      endpoints.judge(index, { standing, ...known });
      report(index, before[index]?.standing, standing, number);
    }
    deps.onCompared?.(endpoints.list());
  }

  function standingOf({ head }: Look, best: bigint, disagrees: boolean): EndpointStanding {
    if (disagrees) return 'disagrees';
    if (head === undefined) return 'silent';
    return best - head.number > options.maxLag ? 'lagging' : 'good';
  }

  function report(index: number, before: EndpointStanding | undefined, now: EndpointStanding, number?: bigint): void {
    if (before === now) return;
    const told = { endpoint: endpoints.list()[index]?.url, standing: now, before };
    if (now === 'disagrees') log.error({ ...told, number }, 'an L1 endpoint contradicts blocks that were verified');
    else log.info(told, 'standing of an L1 endpoint changed');
  }

  async function confirmsDeepReorg(signal: AbortSignal): Promise<boolean> {
    const number = (await derived.head()) - options.depth;
    const verified = await derived.hashAt(number);
    if (endpoints.urls.length < 2 || verified === undefined) return true;
    const block = `0x${number.toString(16)}`;
    const headers = await Promise.all([...endpoints.urls.keys()].map((index) => read(index, block, signal)));
    if (headers.every((header) => header !== undefined && header.hash !== verified)) return true;
    for (const [index, header] of headers.entries()) {
      if (header === undefined || header.hash === verified) continue;
      report(index, endpoints.list()[index]?.standing, 'disagrees', number);
      endpoints.judge(index, { standing: 'disagrees' });
    }
    return false;
  }

  return {
    look,
    confirmsDeepReorg,
    async run(signal) {
      while (endpoints.urls.length > 1 && !signal.aborted) {
        await look(signal).catch((error: unknown) => {
          if (!signal.aborted) log.debug({ err: error }, 'L1 endpoints not compared');
        });
        await delay(options.pollMs, undefined, { signal }).catch(() => {});
      }
    },
  };
}
