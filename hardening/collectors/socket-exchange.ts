import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';

/** Longest wait for one connection, handshake or answer. */
const PROBE_TIMEOUT_MS = 5_000;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Connects by TCP. Throws when nothing listens there, or nothing answers in time. */
export function openTcp({ host, port }: Address, signal: AbortSignal): Promise<Socket> {
  return opened(() => connect({ host, port }), 'connect', signal);
}

/** Connects by TLS, whoever answers: what its certificate is worth is looked at afterwards. */
export function openTls({ host, port }: Address, options: ConnectionOptions, signal: AbortSignal): Promise<TLSSocket> {
  const all = { host, port, rejectUnauthorized: false, ...options };
  return opened(() => connectTls(all), 'secureConnect', signal);
}

/** What the other side sends until it ends, cuts the connection, sent `most` bytes, `enough` is satisfied, or `quietMs` are over. */
export function receive(
  socket: Socket,
  bounds: { readonly most: number; readonly enough?: (received: Buffer) => boolean; readonly quietMs?: number },
  signal: AbortSignal,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
    };
    const finish = (): void => {
      done();
      resolve(received);
    };
    const abort = (): void => {
      done();
      reject(signal.reason);
    };
    const late = (): void => {
      done();
      reject(new Error(`no whole answer within ${PROBE_TIMEOUT_MS} ms`));
    };
    const { quietMs } = bounds;
    const timer = quietMs === undefined ? setTimeout(late, PROBE_TIMEOUT_MS) : setTimeout(finish, quietMs);
    signal.addEventListener('abort', abort, { once: true });
    socket.on('error', finish).on('close', finish).on('end', finish);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]).subarray(0, bounds.most);
      if (received.length >= bounds.most || bounds.enough?.(received) === true) finish();
    });
    socket.resume();
  });
}

function opened<S extends Socket>(open: () => S, event: string, signal: AbortSignal): Promise<S> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = open();
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
    const fail = (error: unknown): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const abort = (): void => fail(signal.reason);
    const timer = setTimeout(
      () => fail(Object.assign(new Error(`no ${event} within ${PROBE_TIMEOUT_MS} ms`), { code: 'ETIMEDOUT' })),
      PROBE_TIMEOUT_MS,
    );
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', fail);
    socket.once('close', () => fail(Object.assign(new Error('cut off'), { code: 'ECONNRESET' })));
    socket.once(event, () => {
      settle();
      // From here on whoever reads hears of errors; nobody who does not read may be crashed by one.
      socket.removeAllListeners('close').removeAllListeners('error').on('error', ignore);
      resolve(socket);
    });
  });
}

function ignore(): void {}
