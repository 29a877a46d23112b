import { createHash } from 'node:crypto';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import type { PeerIdText } from '../../protocol/brand.ts';
import { peerIdOfAddress } from '../../protocol/network/descriptor.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Admission } from './admission.ts';
import type { P2pConfig } from './config.ts';
import { createDialBackoff } from './dial-backoff.ts';
import type { P2pMetrics } from './metrics.ts';
import type { Registry } from './needs.ts';
import { dialableAddresses } from './peer-address.ts';

/** Dials under way at a time. */
const PARALLEL_DIALS = 4;

export interface DialerDeps {
  readonly self: PeerIdText;
  /** The descriptor's bootstrap multiaddrs: signed, so dialled as they are. */
  readonly bootstrap: readonly string[];
  readonly registry: Registry;
  readonly admission: Admission;
  readonly connected: () => ReadonlySet<string>;
  readonly dial: (addresses: Multiaddr[], signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
  readonly metrics: P2pMetrics;
  readonly now: () => number;
}

export interface Dialer {
  /** Looks once for peers to dial and dials them; never throws. */
  tick(signal: AbortSignal): Promise<void>;
  /** A connection ended. The peer is dialled again after the shortest wait, never at once: it may be that it drops us. */
  lost(peerId: string): void;
  /** What the registry last said about this node itself. */
  isMember(): boolean;
}

interface Target {
  readonly peerId: string;
  readonly addresses: Multiaddr[];
  readonly rank: string;
}

/** Dials members and bootstrap peers, bounded and with backoff, and only when this node would be admitted itself. */
export function createDialer(config: P2pConfig, deps: DialerDeps): Dialer {
  const backoff = createDialBackoff(config, deps.now);
  let member = false;

  async function tick(signal: AbortSignal): Promise<void> {
    member = await deps.admission.isAdmitted(deps.self);
    const free = config.maxOutbound - deps.connected().size;
    if (!member || free <= 0 || signal.aborted) return;
    const due = await chooseTargets(free);
    for (const few of chunk(due, PARALLEL_DIALS)) await Promise.all(few.map((target) => dial(target, signal)));
  }

  async function chooseTargets(count: number): Promise<Target[]> {
    const targets = await findTargets(deps, config.allowPrivateAddresses);
    backoff.keepOnly(targets);
    const connected = deps.connected();
    const ordered = [...targets.values()]
      .filter(({ peerId, addresses }) => addresses.length > 0 && !connected.has(peerId) && backoff.isDue(peerId))
      .sort((a, b) => (a.rank < b.rank ? -1 : 1));
    const chosen: Target[] = [];
    for (const target of ordered) {
      if (chosen.length === count) break;
      if (await deps.admission.isAdmitted(target.peerId)) chosen.push(target);
    }
    return chosen;
  }

  async function dial({ peerId, addresses }: Target, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      await deps.dial(addresses, signal);
      backoff.reached(peerId);
      deps.metrics.dials.inc({ outcome: 'connected' });
    } catch (error) {
      backoff.failed(peerId);
      deps.metrics.dials.inc({ outcome: 'failed' });
      deps.log.debug({ peerId, err: error }, 'peer not reached');
    }
  }

  return {
    async tick(signal) {
      await tick(signal).catch((error: unknown) =>
        deps.log.debug({ err: error }, 'no members to dial: registry gave no answer'),
      );
    },
    lost: backoff.lost,
    isMember: () => member,
  };
}

function chunk<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/** Everybody else in the registry or the descriptor, by peer id. */
async function findTargets(deps: DialerDeps, allowPrivate: boolean): Promise<Map<string, Target>> {
  const targets = new Map<string, Target>();
  const add = (peerId: string, addresses: Multiaddr[]): void => {
    if (peerId !== deps.self) targets.set(peerId, { peerId, addresses, rank: rank(deps.self, peerId) });
  };
  for (const { peerId, addresses } of await deps.registry.members()) {
    add(peerId, dialableAddresses(peerId, addresses, allowPrivate));
  }
  for (const address of deps.bootstrap) add(peerIdOfAddress(address), [multiaddr(address)]);
  return targets;
}

/** Orders peers differently on every node, so that not all dial the same ones. */
function rank(self: string, peerId: string): string {
  return createHash('sha256').update(`${self} ${peerId}`).digest('hex');
}
