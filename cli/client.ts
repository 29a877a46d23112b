import type { Readable } from 'node:stream';
import type { Static, TSchema } from 'typebox';
import type { Value as ValueModule } from 'typebox/value';
import type { Agent, Dispatcher } from 'undici';
import { givePieceBack } from '../appliance/page-memory.ts';
import { ERRORS, type ErrorCode, type ErrorData, NectarError } from '../protocol/errors.ts';
import { exchangeBulk } from './bulk-exchange.ts';

/** An answer of the API that is larger is not one of the node's: lists are paged, proofs are small. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 5_000;
/** Scrubs and verifications read every byte before they answer. */
const ANSWER_TIMEOUT_MS = 30 * 60 * 1000;
/** Longest silence in the middle of a download. */
const SILENCE_TIMEOUT_MS = 5 * 60 * 1000;

export interface ClientOptions {
  /** `https://127.0.0.1:PORT` */
  readonly gateway: string;
  /** PEM of the node's own CA: the only one that is trusted. */
  readonly ca: string;
  readonly token: string;
  /** Where the node answers this user without TLS, asked before each large body: a node that begins anew has another. */
  readonly localSocket?: () => string | undefined;
  readonly signal: AbortSignal;
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readable | Uint8Array | string;
  /** A large body, instead of `body`, in pieces that are freed as they leave; its Content-Length is among the headers. */
  readonly bulk?: AsyncIterable<Uint8Array>;
  readonly timeoutMs?: number;
  /** Statuses from 400 up whose body is an answer all the same, such as the 503 of /readyz. */
  readonly accept?: readonly number[];
  /** Told the headers of a good answer. */
  readonly onHeaders?: (headers: Answer['headers']) => void;
}

/** An answer whose body is still to be read. */
export interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/** A shape, or how to load it: that of a put is loaded while its bytes are on their way. */
export type Shape<S extends TSchema> = S | (() => Promise<S>);

/** The CLI's way to a node: a client of its HTTP API like any other. */
export interface Client {
  readonly gateway: string;
  /** A call whose answer is JSON of the given shape. */
  json<S extends TSchema>(
    shape: Shape<S>,
    method: Dispatcher.HttpMethod,
    path: string,
    body?: unknown,
  ): Promise<Static<S>>;
  /** A call with a streamed or raw body whose answer is JSON of the given shape. */
  send<S extends TSchema>(
    shape: Shape<S>,
    method: Dispatcher.HttpMethod,
    path: string,
    options: SendOptions,
  ): Promise<Static<S>>;
  /** A call whose answer is its headers; of several of one name, the first. */
  headers(method: Dispatcher.HttpMethod, path: string, options: SendOptions): Promise<Readonly<Record<string, string>>>;
  /** A call whose answer is text. */
  text(path: string, options: { readonly timeoutMs: number }): Promise<string>;
  /** A call whose answer is a stream; a problem is thrown. */
  open(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** The same for a large body of a known length, in pieces that are the caller's to free (stream-memory.ts). */
  download(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  close(): Promise<void>;
}

/** Creates a client. Every failure is a NectarError: the node's own where its problem names one, else a CLI_ one. */
export function createClient(options: ClientOptions): Client {
  let agent: Agent | undefined;
  const closing = new AbortController();

  function bulk(method: string, path: string, { headers, body }: BulkParts): Promise<Answer> {
    const { ca } = options;
    const signal = AbortSignal.any([options.signal, closing.signal]);
    const timeouts = { connectTimeoutMs: CONNECT_TIMEOUT_MS, answerTimeoutMs: ANSWER_TIMEOUT_MS };
    const localSocket = options.localSocket?.();
    return exchangeBulk(
      { ca, localSocket, signal, ...timeouts, silenceTimeoutMs: SILENCE_TIMEOUT_MS },
      {
        method,
        url: new URL(path, options.gateway),
        headers: { authorization: `Bearer ${options.token}`, ...headers },
        ...(body !== undefined && { body }),
      },
    );
  }

  async function request(method: Dispatcher.HttpMethod, path: string, sent: SendOptions, signal: AbortSignal) {
    // Not for large bodies, which have a connection of their own: loading it takes longer than finding the node.
    const undici = await import('undici');
    agent ??= new undici.Agent({
      connect: { ca: options.ca, timeout: CONNECT_TIMEOUT_MS },
      headersTimeout: ANSWER_TIMEOUT_MS,
      bodyTimeout: SILENCE_TIMEOUT_MS,
    });
    return undici.request(new URL(path, options.gateway), {
      dispatcher: agent,
      method,
      headers: { authorization: `Bearer ${options.token}`, ...sent.headers },
      body: sent.body ?? null,
      signal,
    });
  }

  async function exchange(method: Dispatcher.HttpMethod, path: string, sent: SendOptions): Promise<Answer> {
    const { timeoutMs } = sent;
    const signal =
      timeoutMs === undefined ? options.signal : AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const answer =
        sent.bulk === undefined
          ? await request(method, path, sent, signal)
          : await bulk(method, path, { headers: sent.headers, body: sent.bulk });
      if (answer.statusCode >= 400 && sent.accept?.includes(answer.statusCode) !== true)
        throw problemOf(answer.statusCode, await readText(answer));
      return answer;
    } catch (error) {
      throw unreachable(error, options);
    }
  }

  async function text(method: Dispatcher.HttpMethod, path: string, sent: SendOptions): Promise<string> {
    const answer = await exchange(method, path, sent);
    sent.onHeaders?.(answer.headers);
    return readText(answer).catch((error) => Promise.reject(unreachable(error, options)));
  }

  async function send<S extends TSchema>(
    shape: Shape<S>,
    method: Dispatcher.HttpMethod,
    path: string,
    sent: SendOptions,
  ): Promise<Static<S>> {
    const answered = text(method, path, sent);
    const parts = Promise.all([typeof shape === 'function' ? shape() : shape, import('typebox/value')]);
    const [answer, [schema, { Value }]] = await Promise.all([answered, parts]);
    return parseAnswer(Value, schema, answer);
  }

  return {
    gateway: options.gateway,
    send,
    json: (shape, method, path, body) =>
      send(shape, method, path, {
        ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      }),
    async headers(method, path, sent) {
      const answer = await exchange(method, path, sent);
      await readText(answer).catch((error) => Promise.reject(unreachable(error, options)));
      const single = Object.entries(answer.headers).map(([name, value]) => [name, String([value].flat()[0] ?? '')]);
      return Object.fromEntries(single) as Record<string, string>;
    },
    text: (path, sent) => text('GET', path, sent),
    open: (path, headers) => exchange('GET', path, headers === undefined ? {} : { headers }),
    async download(path, headers) {
      try {
        const answer = await bulk('GET', path, { headers });
        if (answer.statusCode >= 400) throw problemOf(answer.statusCode, await readText(answer));
        return answer;
      } catch (error) {
        throw unreachable(error, options);
      }
    },
    async close() {
      closing.abort();
      await agent?.destroy();
    },
  };
}

interface BulkParts {
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly body?: AsyncIterable<Uint8Array>;
}

async function readText(answer: Answer): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer.body) {
    bytes += chunk.length;
    if (bytes > MAX_JSON_BYTES)
      throw new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: `longer than ${MAX_JSON_BYTES} bytes` });
    chunks.push(Buffer.from(chunk));
    givePieceBack(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function parseAnswer<S extends TSchema>(Value: typeof ValueModule, schema: S, text: string): Static<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: 'not JSON' }, { cause: error });
  }
  if (Value.Check(schema, value)) return value;
  const first = Value.Errors(schema, value)[0];
  const where = first === undefined ? '' : ` at ${first.instancePath || '/'}: ${first.message}`;
  throw new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: `another shape than expected${where}` });
}

/** RFC 9457 problem -> the same NectarError that the node threw, when this version knows its code. */
export function problemOf(status: number, text: string): NectarError {
  let problem: { code?: unknown; detail?: unknown; title?: unknown; data?: unknown } = {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) problem = value;
  } catch {
    // Not a problem document: something in between answered.
  }
  const code = typeof problem.code === 'string' ? problem.code : '';
  if (Object.hasOwn(ERRORS, code) && typeof problem.data === 'object' && problem.data !== null) {
    try {
      return new NectarError(code as ErrorCode, problem.data as ErrorData<ErrorCode>);
    } catch {
      // Data of another version: fall through to the plain facts.
    }
  }
  const detail = typeof problem.detail === 'string' ? problem.detail : String(problem.title ?? 'no detail');
  return new NectarError('CLI_GATEWAY_PROBLEM', { status, code: code || 'without a code', detail });
}

function unreachable(error: unknown, { gateway, signal }: ClientOptions): unknown {
  if (error instanceof NectarError || signal.aborted) return error;
  // What the body stream threw (an unreadable file, say) is not the connection's fault.
  const { code = '', name, message, syscall } = error as NodeJS.ErrnoException;
  const ours =
    code.startsWith('UND_ERR_') ||
    name === 'TimeoutError' ||
    ['connect', 'read', 'write', 'getaddrinfo'].includes(syscall ?? '');
  if (!ours && !/CERT|SSL|TLS|SELF_SIGNED|ERR_OSSL|VERIFY/.test(code) && !['ECONNRESET', 'EPIPE'].includes(code))
    return error;
  if (syscall === 'read' && code !== 'ECONNRESET') return error;
  return new NectarError('CLI_NODE_UNREACHABLE', { gateway, reason: code || message }, { cause: error });
}
