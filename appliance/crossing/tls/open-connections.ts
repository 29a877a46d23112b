import type { TLSSocket } from 'node:tls';
import type { CrossingPair } from './pair.ts';
import type { Peer } from './peer.ts';

const SWEEP_MS = 1_000;

interface Open {
  /** Milliseconds since 1970; of either end's certificate, whichever is sooner. */
  readonly notAfter: number;
  /** Fingerprint of the authority that vouches for the other side. */
  readonly authority: string;
}

export interface OpenConnectionsDeps {
  readonly now: () => number;
  /** Whom this role believes now. */
  readonly pair: () => CrossingPair | undefined;
}

/** Connections whose other side was verified: none outlives its certificates, or the trust in the authority behind it. */
export interface OpenConnections {
  add(socket: TLSSocket, peer: Peer, own: CrossingPair): void;
  /** Ends those whose time is over; done every second, and when certificates change. */
  sweep(): void;
  /** While nothing is open, nothing runs. */
  readonly count: number;
}

export function createOpenConnections({ now, pair }: OpenConnectionsDeps): OpenConnections {
  const open = new Map<TLSSocket, Open>();
  let timer: NodeJS.Timeout | undefined;

  function sweep(): void {
    const [time, believed] = [now(), pair()?.authorities];
    for (const [socket, { notAfter, authority }] of open) {
      if (notAfter <= time) socket.destroy(new Error('a certificate of the connection has expired'));
      else if (believed?.has(authority) === false) socket.destroy(new Error('its authority is believed no longer'));
    }
  }

  function forget(socket: TLSSocket): void {
    open.delete(socket);
    if (open.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    add(socket, peer, own) {
      open.set(socket, { notAfter: Math.min(own.notAfter, peer.notAfter), authority: peer.authority });
      socket.once('close', () => forget(socket));
      timer ??= setInterval(sweep, SWEEP_MS).unref();
    },
    sweep,
    get count() {
      return open.size;
    },
  };
}
