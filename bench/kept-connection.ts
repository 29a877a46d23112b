import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import type { Access } from './served-node.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * One kept connection to the gateway, one request at a time, as little work as HTTP/1.1 over TLS allows: the client shares the
 * machine with the node, and what it takes of the cores the node lacks.
 */
export class KeptConnection {
  readonly #socket: TLSSocket;
  readonly #head: string;
  #received = '';
  #waiting: { resolve(answer: Answer): void; reject(error: unknown): void } | undefined;

  private constructor(socket: TLSSocket, { gateway, token }: Access) {
    this.#socket = socket;
    this.#head = `host: ${gateway.host}\r\nauthorization: Bearer ${token}\r\n`;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    const lost = (error?: Error) => this.#waiting?.reject(error ?? new Error('the node closed the connection'));
    socket.on('error', lost).on('close', () => lost());
  }

  static async open(access: Access): Promise<KeptConnection> {
    const { gateway, ca } = access;
    const socket = connect({ host: gateway.hostname, port: Number(gateway.port), ca });
    await once(socket, 'secureConnect');
    return new KeptConnection(socket, access);
  }

  send(
    method: string,
    path: string,
    body: Buffer = Buffer.alloc(0),
    more: { readonly type?: string; readonly labels?: string } = {},
  ): Promise<Answer> {
    const { type = 'application/octet-stream', labels } = more;
    const labelled = labels === undefined ? '' : `x-nectar-labels: ${labels}\r\n`;
    const described = body.length === 0 ? '' : `content-type: ${type}\r\n${labelled}`;
    const head = `${method} ${path} HTTP/1.1\r\n${this.#head}${described}content-length: ${body.length}\r\n\r\n`;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#socket.destroyed) reject(new Error('the node closed the connection'));
      else this.#socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]));
    });
  }

  /** The gateway ends connections on which nothing was asked for half a minute. */
  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.readyState === 'open';
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received += chunk.toString('latin1');
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/^content-length: *(\d+)/im.exec(this.#received.slice(0, end))?.[1] ?? 0);
    if (this.#received.length < end + 4 + length) return;
    const answer = {
      status: Number(this.#received.slice(9, 12)),
      body: this.#received.slice(end + 4, end + 4 + length),
    };
    this.#received = this.#received.slice(end + 4 + length);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(answer);
  }
}
