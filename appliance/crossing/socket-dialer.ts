import { createConnection } from 'node:net';
import type { Dialer } from './dialer.ts';

const CONNECT_TIMEOUT_MS = 2_000;

/** Behind a Unix socket is a process of this machine, with no proxy in between. */
export function socketDialer(path: string): Dialer {
  return {
    target: '/',
    timeoutMs: CONNECT_TIMEOUT_MS,
    refusesWrites: true,
    connect(onread, onOpen) {
      const socket = createConnection({ path, onread });
      // What is written before it is connected waits for that.
      onOpen(socket);
      return { socket, isStale: () => false };
    },
    explain: () => undefined,
  };
}
