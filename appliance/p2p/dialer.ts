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

/** Peers that were connected before; entries that were never dialled; those that did not answer. Dials under way in each at a time. */
const LANES = { living: 16, untried: 16, dead: 4 } as const;
type Lane = keyof typeof LANES;
/** Dials that a lane makes in one look: where all are refused at once, a registry of a thousand entries is no burst of a thousand dials. */
const MAX_PER_LOOK = 64;
/** So many dials in vain, and a peer that was connected is dialled like any other that does not answer. */
const NOT_LIVING_AFTER = 5;

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
  /** Looks once for peers to dial and dials them; ends when its dials have. May run beside an earlier one. Never throws. */
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

/**
 * Dials members and bootstrap peers, bounded and with backoff, and only when this node would be admitted itself. Peers that were connected
 * before, those that were never tried, and those that did not answer have a lane each: a thousand dead addresses, each of which keeps a
 * dial for seconds, delay neither a peer that was lost nor an entry that is new.
 */
export function createDialer(config: P2pConfig, deps: DialerDeps): Dialer {
  const backoff = createDialBackoff(config, deps.now);
  const findTargets = createTargets(deps, config.allowPrivateAddresses);
  const living = new Set<string>();
  const underWay = new Set<string>();
  const busy = new Set<Lane>();
  let member = false;

  async function tick(signal: AbortSignal): Promise<void> {
    member = await deps.admission.isAdmitted(deps.self);
    if (!member || freeSlots() <= 0 || signal.aborted) return;
    const targets = await findTargets();
    backoff.keepOnly(targets);
    for (const peerId of living) if (!targets.has(peerId)) living.delete(peerId);
    const lanes = sortIntoLanes(targets);
    await Promise.all((Object.keys(lanes) as Lane[]).map((lane) => run(lane, lanes[lane], signal)));
  }

  function freeSlots(): number {
    return config.maxOutbound - deps.connected().size;
  }

  function sortIntoLanes(targets: ReadonlyMap<string, Target>): Record<Lane, Target[]> {
    const lanes: Record<Lane, Target[]> = { living: [], untried: [], dead: [] };
    const connected = deps.connected();
    for (const target of targets.values()) {
      const { peerId, addresses } = target;
      const isOpen = connected.has(peerId) || underWay.has(peerId);
      if (addresses.length === 0 || isOpen || !backoff.isDue(peerId)) continue;
      lanes[living.has(peerId) ? 'living' : backoff.failures(peerId) === 0 ? 'untried' : 'dead'].push(target);
    }
    // However many do not answer, each has its turn before one of them is dialled once more.
    for (const lane of Object.values(lanes))
      lane.sort((a, b) => backoff.failures(a.peerId) - backoff.failures(b.peerId) || (a.rank < b.rank ? -1 : 1));
    return lanes;
  }

  /** A lane that still runs is left alone, for as long as one dial may take; that of the living waits for nothing. */
  async function run(lane: Lane, targets: readonly Target[], signal: AbortSignal): Promise<void> {
    if (targets.length === 0 || (lane !== 'living' && busy.has(lane))) return;
    busy.add(lane);
    const rest = targets.slice(0, MAX_PER_LOOK).values();
    const begun = deps.now();
    let taken = 0;
    const work = async (): Promise<void> => {
      for (;;) {
        // Those on their way count: no more connections than allowed, should all of them answer.
        if (signal.aborted || freeSlots() - taken <= 0 || deps.now() - begun >= config.dialTimeoutMs) return;
        const next = rest.next();
        if (next.done === true) return;
        taken += 1;
        await dial(next.value, signal).finally(() => {
          taken -= 1;
        });
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(LANES[lane], targets.length) }, work));
    } finally {
      busy.delete(lane);
    }
  }

  async function dial({ peerId, addresses }: Target, signal: AbortSignal): Promise<void> {
    if (underWay.has(peerId)) return;
    underWay.add(peerId);
    try {
      if (!(await deps.admission.isAdmitted(peerId))) return;
      await deps.dial(addresses, AbortSignal.any([signal, AbortSignal.timeout(config.dialTimeoutMs)]));
      backoff.reached(peerId);
      living.add(peerId);
      deps.metrics.dials.inc({ outcome: 'connected' });
    } catch (error) {
      backoff.failed(peerId);
      if (backoff.failures(peerId) >= NOT_LIVING_AFTER) living.delete(peerId);
      deps.metrics.dials.inc({ outcome: 'failed' });
      deps.log.debug({ peerId, err: error }, 'peer not reached');
    } finally {
      underWay.delete(peerId);
    }
  }

  return {
    async tick(signal) {
      await tick(signal).catch((error: unknown) =>
        deps.log.debug({ err: error }, 'no members to dial: the registry did not answer'),
      );
    },
    lost(peerId) {
      living.add(peerId);
      backoff.lost(peerId);
    },
    isMember: () => member,
  };
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
      // Before all others: the network says that these are there.
      targets.set(peerId, { peerId, addresses: [multiaddr(address)], rank: '' });
    }
    return targets;
  };
}

/** Orders peers differently on every node, so that not all dial the same ones. */
function rank(self: string, peerId: string): string {
  return createHash('sha256').update(`${self} ${peerId}`).digest('hex');
}
