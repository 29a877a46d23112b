import { createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export interface Call {
  readonly body?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** A connection of its own, as a new client has. */
  readonly isNew?: boolean;
}

const ANSWER_MS = 30_000;

/** The API of a release, at the address of its Service. */
export class NodeApi {
  readonly #at: { readonly host: string; readonly port: number; readonly servername: string; readonly ca: string };
  readonly #token: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(at: { host: string; port: number; servername: string; ca: string }, token: string) {
    this.#at = at;
    this.#token = token;
  }

  call(method: string, path: string, { body, headers, isNew = false }: Call = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          ...this.#at,
          ...{ method, path, agent: isNew ? false : this.#agent, timeout: ANSWER_MS },
          headers: { authorization: `Bearer ${this.#token}`, host: this.#at.servername, ...headers },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
        },
      );
      asked.on('timeout', () => asked.destroy(new Error('no answer')));
      asked.on('error', reject);
      asked.end(body);
    });
  }

  /**
   * Asks again where nothing was done: refused by an address whose rules are not there yet, as in the first moments of a pod that is
   * ready, or answered by a node that is not ready for a moment.
   */
  async json<T>(method: string, path: string, value?: unknown): Promise<T> {
    const sent =
      value === undefined
        ? {}
        : { body: Buffer.from(JSON.stringify(value)), headers: { 'content-type': 'application/json' } };
    const { status, body } = await this.#reached(method, path, sent);
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${body.toString().slice(0, 500)}`);
    return JSON.parse(body.toString()) as T;
  }

  async #reached(method: string, path: string, sent: Call): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      try {
        const answer = await this.call(method, path, sent);
        if (answer.status !== 503 || tries === TRIES) return answer;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED' || tries === TRIES) throw error;
      }
      await sleep(TRY_AGAIN_MS);
    }
  }

  /** The serial number of the certificate that a new client is shown, and has verified. */
  serial(): Promise<string> {
    const { host, port, servername, ca } = this.#at;
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, servername, ca, timeout: ANSWER_MS }, () => {
        resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
        socket.destroy();
      });
      socket.on('timeout', () => socket.destroy(new Error('no answer')));
      socket.on('error', reject);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** What the node has said it holds. */
export interface Kept {
  readonly recordId: string;
  readonly sha256: string;
}

export interface Asked {
  readonly count: number;
  /** Connections that nobody took: nothing was asked over them. */
  readonly refused: readonly string[];
  readonly failures: readonly string[];
}

/** Asks over new connections, a dozen a second, until it is stopped. */
export async function keepAsking(api: NodeApi, signal: AbortSignal): Promise<Asked> {
  const failures: string[] = [];
  const refused: string[] = [];
  let count = 0;
  while (!signal.aborted) {
    count++;
    try {
      const { status } = await api.call('GET', '/v1/records?limit=1', { isNew: true });
      if (status !== 200) failures.push(`${count}: ${status}`);
    } catch (error) {
      const isRefused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
      (isRefused ? refused : failures).push(`${count}: ${error instanceof Error ? error.message : error}`);
    }
    await sleep(80);
  }
  return { count, refused, failures };
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Puts records one after the other until it is stopped, and adds each to `kept`; one that was not acknowledged is asked for again under the same key. */
export async function keepPutting(api: NodeApi, signal: AbortSignal, kept: Kept[] = []): Promise<Kept[]> {
  while (!signal.aborted) {
    const body = randomBytes(8_000);
    const headers = {
      'content-type': 'application/octet-stream',
      'idempotency-key': randomBytes(16).toString('hex'),
    };
    for (let isKept = false; !isKept && !signal.aborted; ) {
      const answer = await api.call('POST', '/v1/records', { body, headers }).catch(() => undefined);
      isKept = answer?.status === 201;
      if (answer !== undefined && isKept) {
        const { recordId } = JSON.parse(answer.body.toString()) as { recordId: string };
        kept.push({ recordId, sha256: sha256(body) });
      } else await sleep(200);
    }
  }
  return kept;
}

const TRIES = 240;
/** Passing answers: not ready, or a role that went while it was asked. */
const PASSING = [0, 502, 503, 504];
const TRY_AGAIN_MS = 500;

/** The records that do not come back as they were. "Not ready" is an answer of the moment, and asked again. */
export async function lost(api: NodeApi, kept: readonly Kept[]): Promise<string[]> {
  const gone: string[] = [];
  for (const { recordId, sha256: expected } of kept) {
    const { status, body } = await answered(api, `/v1/records/${recordId}`);
    if (status !== 200 || sha256(body) !== expected)
      gone.push(`${recordId}: ${status} ${body.toString().slice(0, 300)}`);
  }
  return gone;
}

async function answered(api: NodeApi, path: string): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await api
      .call('GET', path)
      .catch((error: unknown) => ({ status: 0, body: Buffer.from(String(error)) }));
    if (!PASSING.includes(answer.status) || tries === TRIES) return answer;
    await sleep(TRY_AGAIN_MS);
  }
}
