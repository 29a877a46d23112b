import { createHash } from 'node:crypto';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import type { PeerIdText } from '../../protocol/brand.ts';
import { peerIdOfAddress } from '../../protocol/network/descriptor.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Admission } from './admission.ts';
import type { P2pConfig } from './config.ts';
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

interface Backoff {
  readonly failures: number;
  readonly notBefore: number;
}

/** Dials members and bootstrap peers, bounded and with backoff, and only when this node would be admitted itself. */
export function createDialer(config: P2pConfig, deps: DialerDeps): Dialer {
  const backoffs = new Map<string, Backoff>();
  let member = false;

  async function tick(signal: AbortSignal): Promise<void> {
    member = await deps.admission.isAdmitted(deps.self);
    const free = config.maxOutbound - deps.connected().size;
    if (!member || free <= 0 || signal.aborted) return;
    const due: Target[] = [];
    for (const target of await candidates()) {
      if (due.length >= free) break;
      if (await deps.admission.isAdmitted(target.peerId)) due.push(target);
    }
    for (let index = 0; index < due.length && !signal.aborted; index += PARALLEL_DIALS) {
      await Promise.all(due.slice(index, index + PARALLEL_DIALS).map((target) => dial(target, signal)));
    }
  }

  async function candidates(): Promise<Target[]> {
    const targets = new Map<string, Multiaddr[]>();
    for (const { peerId, addresses } of await deps.registry.members()) {
      targets.set(peerId, dialableAddresses(peerId, addresses, config.allowPrivateAddresses));
    }
    for (const address of deps.bootstrap) targets.set(peerIdOfAddress(address), [multiaddr(address)]);
    targets.delete(deps.self);
    for (const peerId of backoffs.keys()) if (!targets.has(peerId)) backoffs.delete(peerId);
    const connected = deps.connected();
    const now = deps.now();
    return [...targets]
      .filter(([peerId, addresses]) => addresses.length > 0 && !connected.has(peerId))
      .filter(([peerId]) => (backoffs.get(peerId)?.notBefore ?? 0) <= now)
      .map(([peerId, addresses]) => ({ peerId, addresses, rank: rank(deps.self, peerId) }))
      .sort((a, b) => (a.rank < b.rank ? -1 : 1));
  }

  async function dial({ peerId, addresses }: Target, signal: AbortSignal): Promise<void> {
    try {
      await deps.dial(addresses, signal);
      backoffs.delete(peerId);
      deps.metrics.dials.inc({ outcome: 'connected' });
    } catch (error) {
      const failures = (backoffs.get(peerId)?.failures ?? 0) + 1;
      const wait = Math.min(config.dialBackoffMaxMs, config.dialBackoffMinMs * 2 ** Math.min(failures - 1, 30));
      backoffs.set(peerId, { failures, notBefore: deps.now() + wait });
      deps.metrics.dials.inc({ outcome: 'failed' });
      deps.log.debug({ peerId, failures, err: error }, 'peer not reached');
    }
  }

  return {
    async tick(signal) {
      try {
        await tick(signal);
      } catch (error) {
        deps.log.debug({ err: error }, 'no members to dial: registry gave no answer');
      }
    },
    lost(peerId) {
      if (!backoffs.has(peerId)) backoffs.set(peerId, { failures: 1, notBefore: deps.now() + config.dialBackoffMinMs });
    },
    isMember: () => member,
  };
}

/** Orders peers differently on every node, so that not all dial the same ones. */
function rank(self: string, peerId: string): string {
  return createHash('sha256').update(`${self} ${peerId}`).digest('hex');
}
