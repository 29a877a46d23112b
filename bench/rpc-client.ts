import { KeptConnection } from './kept-connection.ts';
import type { Access } from './served-node.ts';

/** JSON-RPC over kept connections, each with one request at a time. */
export class RpcClient {
  readonly #access: Access;
  readonly #connections: Set<KeptConnection>;
  readonly #idle: KeptConnection[];
  readonly #waiting: ((connection: KeptConnection) => void)[] = [];

  private constructor(access: Access, connections: readonly KeptConnection[]) {
    this.#access = access;
    this.#connections = new Set(connections);
    this.#idle = [...connections];
  }

  static async open(access: Access, count: number): Promise<RpcClient> {
    const open = Array.from({ length: count }, () => KeptConnection.open(access));
    return new RpcClient(access, await Promise.all(open));
  }

  /** Requests that wait for a connection. */
  get backlog(): number {
    return this.#waiting.length;
  }

  async ask<T>(method: string, ...params: unknown[]): Promise<T> {
    let connection = this.#idle.pop() ?? (await new Promise<KeptConnection>((resolve) => this.#waiting.push(resolve)));
    try {
      if (!connection.isOpen) connection = await this.#replace(connection);
      const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
      const answer = await connection.send('POST', '/rpc', body, { type: 'application/json' });
      const { result, error } = JSON.parse(answer.body) as { result: T; error?: { message: string } };
      if (error !== undefined || answer.status !== 200) throw new Error(`${method}: ${answer.body.slice(0, 300)}`);
      return result;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(connection);
      else next(connection);
    }
  }

  async #replace(closed: KeptConnection): Promise<KeptConnection> {
    const connection = await KeptConnection.open(this.#access);
    this.#connections.delete(closed);
    this.#connections.add(connection);
    return connection;
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}
