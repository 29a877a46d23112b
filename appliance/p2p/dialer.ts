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
  const findTargets = createTargets(deps, config.allowPrivateAddresses);
  let member = false;

  async function tick(signal: AbortSignal): Promise<void> {
    member = await deps.admission.isAdmitted(deps.self);
    const free = config.maxOutbound - deps.connected().size;
    if (!member || free <= 0 || signal.aborted) return;
    const due = await chooseTargets(free);
    for (const few of chunk(due, PARALLEL_DIALS)) await Promise.all(few.map((target) => dial(target, signal)));
  }

  async function chooseTargets(count: number): Promise<Target[]> {
    const targets = await findTargets();
    backoff.keepOnly(targets);
    const connected = deps.connected();
    const ordered = [...targets.values()]
      .filter(({ peerId, addresses }) => addresses.length > 0 && !connected.has(peerId) && backoff.isDue(peerId))
      // Addresses that do not answer come last: however many there are, those that were not tried yet have their turn.
      .sort((a, b) => backoff.failures(a.peerId) - backoff.failures(b.peerId) || (a.rank < b.rank ? -1 : 1));
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

/** Everybody else in the registry or the descriptor, by peer id. Entries that have not changed are not read and ranked again. */
function createTargets(deps: DialerDeps, allowPrivate: boolean): () => Promise<Map<string, Target>> {
  let known = new Map<string, { readonly text: string; readonly target: Target }>();
  return async () => {
    const found = new Map<string, { readonly text: string; readonly target: Target }>();
    for (const { peerId, addresses } of await deps.registry.members()) {
      if (peerId === deps.self) continue;
      const text = addresses.join(' ');
      const before = known.get(peerId);
      const target = (): Target => ({
        peerId,
        addresses: dialableAddresses(peerId, addresses, allowPrivate),
        rank: rank(deps.self, peerId),
      });
      found.set(peerId, before?.text === text ? before : { text, target: target() });
    }
    known = found;
    const targets = new Map([...found].map(([peerId, { target }]) => [peerId, target]));
    for (const address of deps.bootstrap) {
      const peerId = peerIdOfAddress(address);
      if (peerId === deps.self) continue;
      targets.set(peerId, { peerId, addresses: [multiaddr(address)], rank: rank(deps.self, peerId) });
    }
    return targets;
  };
}

/** Orders peers differently on every node, so that not all dial the same ones. */
function rank(self: string, peerId: string): string {
  return createHash('sha256').update(`${self} ${peerId}`).digest('hex');
}
