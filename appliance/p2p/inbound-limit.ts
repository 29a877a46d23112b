import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface';
import { isPrivateAddress } from './peer-address.ts';

/** An honest peer needs one handshake, a hospital behind one address a few at a time. */
const MAX_HANDSHAKES_PER_NETWORK = 8;
/** Of all the handshakes that may be open, those that only networks get from which a member has come before. */
const RESERVED_HANDSHAKES = 16;
/** Networks of members that are remembered; the oldest goes first. */
const MAX_KNOWN = 1024;
/** Of an IPv6 address the network: whoever has one host of it has all. */
const IPV6_NETWORK_GROUPS = 4;

export type Crowd = 'handshakes-of-network' | 'handshakes-of-strangers';

export interface InboundLimits {
  /** Handshakes that may be open in all; more are cut by libp2p. */
  readonly maxPending: number;
  readonly onRefused: (crowd: Crowd) => void;
}

/**
 * Bounds the handshakes that one network has open, and those of all strangers, before they count among those of all. Adversary:
 * strangers who open connections and say nothing; each would hold one of the few places until it times out, and keep members out.
 */
export function limitInbound<Components>(
  create: (components: Components) => Transport,
  limits: InboundLimits,
): (components: Components) => Transport {
  const handshakes = createHandshakes(limits);
  return (components) => {
    const transport = create(components);
    const createListener = transport.createListener.bind(transport);
    transport.createListener = (options) =>
      createListener({ ...options, upgrader: limitUpgrader(options.upgrader, handshakes) });
    return transport;
  };
}

interface Handshakes {
  /** Takes a place; throws where there is none. */
  begin(network: string, isPrivate: boolean): void;
  end(network: string, isMember: boolean): void;
}

function createHandshakes({ maxPending, onRefused }: InboundLimits): Handshakes {
  const open = new Map<string, number>();
  /** In the order in which a member last came from there. */
  const known = new Set<string>();
  let strangers = 0;
  const refuse = (crowd: Crowd): never => {
    onRefused(crowd);
    throw new Error(`too many ${crowd.replaceAll('-', ' ')} are open`);
  };
  // A network that becomes known, or is forgotten, while it shakes hands must be counted off as it was counted on.
  const countedOn = new Map<string, number>();
  return {
    begin(network, isPrivate) {
      const count = open.get(network) ?? 0;
      // A private address may be a container engine's or a balancer's, behind which everybody comes.
      const bound = isPrivate ? maxPending - RESERVED_HANDSHAKES : MAX_HANDSHAKES_PER_NETWORK;
      if (count >= bound) refuse('handshakes-of-network');
      const isStranger = !known.has(network);
      if (isStranger && strangers >= maxPending - RESERVED_HANDSHAKES) refuse('handshakes-of-strangers');
      open.set(network, count + 1);
      if (!isStranger) return;
      strangers += 1;
      countedOn.set(network, (countedOn.get(network) ?? 0) + 1);
    },
    end(network, isMember) {
      const left = (open.get(network) ?? 1) - 1;
      if (left > 0) open.set(network, left);
      else open.delete(network);
      const counted = countedOn.get(network) ?? 0;
      if (counted > 0) {
        strangers -= 1;
        if (counted > 1) countedOn.set(network, counted - 1);
        else countedOn.delete(network);
      }
      if (!isMember) return;
      known.delete(network);
      known.add(network);
      for (const oldest of known) {
        if (known.size <= MAX_KNOWN) break;
        known.delete(oldest);
      }
    },
  };
}

function limitUpgrader(upgrader: Upgrader, handshakes: Handshakes): Upgrader {
  const upgradeInbound = async (connection: MultiaddrConnection, options: unknown): Promise<void> => {
    const address = connection.remoteAddr.toString();
    const network = networkOf(address);
    handshakes.begin(network, isPrivateAddress(address));
    let isMember = false;
    try {
      await upgrader.upgradeInbound(connection, options as Parameters<Upgrader['upgradeInbound']>[1]);
      // The gater lets nobody else through.
      isMember = true;
    } finally {
      handshakes.end(network, isMember);
    }
  };
  return {
    upgradeInbound,
    upgradeOutbound: upgrader.upgradeOutbound.bind(upgrader),
    createInboundAbortSignal: upgrader.createInboundAbortSignal.bind(upgrader),
    getConnectionEncrypters: upgrader.getConnectionEncrypters.bind(upgrader),
    getStreamMuxers: upgrader.getStreamMuxers.bind(upgrader),
  };
}

/** `/ip4/192.0.2.7/tcp/4000` is 192.0.2.7; `/ip6/2001:db8:1:2:3::4/tcp/4000` is the first 64 bits of it. */
export function networkOf(address: string): string {
  const [, family, host = ''] = address.split('/');
  if (family !== 'ip6') return host;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = host.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return [...before, ...zeros, ...after].slice(0, IPV6_NETWORK_GROUPS).join(':');
}
