import { setTimeout as sleep } from 'node:timers/promises';
import { isNectarError, NectarError } from '../protocol/errors.ts';
import type { Answer, Client } from './client.ts';
import { checkedBody, promisedBytes } from './download-body.ts';
import { FIRST_WAIT_MS, GIVE_UP_MS, isPassing, LONGEST_WAIT_MS } from './passing-failure.ts';

/** Answers in a row that begin and bring nothing: the node breaks off where bytes do not authenticate, and would for ever. */
const MAX_FRUITLESS = 3;

/** What makes content the same: a version's content never changes, however often it is sealed anew. */
export interface VersionIdentity {
  readonly version: number;
  readonly createdAt: string;
  /** Of the whole content. */
  readonly bytes: number;
}

export interface ResumableGet {
  /** `/v1/records/ID` */
  readonly path: string;
  /** Undefined for the latest. */
  readonly version?: number | undefined;
  /** As a Range header has it. */
  readonly range?: string | undefined;
  readonly signal: AbortSignal;
  /** Told once for each time the connection breaks. */
  readonly onBroken: (reason: string, received: number) => void;
  readonly now?: () => number;
  readonly wait?: (ms: number) => Promise<unknown>;
}

/** A download that goes on where it was through broken connections and restarts of the node. */
export interface OpenDownload {
  readonly headers: Answer['headers'];
  readonly identity: VersionIdentity;
  readonly bytes: number;
  /** In pieces that are the caller's to free (stream-memory.ts). */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Opens a record for reading. Every answer is held against the first: the same version, or CLI_RECORD_CHANGED. */
export async function openResumable(client: Client, get: ResumableGet): Promise<OpenDownload> {
  const query = get.version === undefined ? '' : `?version=${get.version}`;
  const first = await client.download(get.path + query, get.range === undefined ? undefined : { range: get.range });
  const bytes = promisedBytes(first);
  if (bytes === undefined)
    throw new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: 'a record without Content-Length' });
  const { identity, start } = identityOf(first, bytes);
  const span = { start, end: start + bytes };
  return { headers: first.headers, identity, bytes, body: readOn(client, get, { first, identity, ...span }) };
}

interface Begun {
  readonly first: Answer;
  readonly identity: VersionIdentity;
  readonly start: number;
  readonly end: number;
}

async function* readOn(client: Client, get: ResumableGet, begun: Begun): AsyncGenerator<Uint8Array> {
  const { signal, now = Date.now, wait = (ms) => sleep(ms, undefined, { signal }) } = get;
  const { identity, start, end } = begun;
  let answer: Answer | undefined = begun.first;
  let at = start;
  let waitMs = FIRST_WAIT_MS;
  let advancedAt = now();
  let fruitless = 0;
  for (;;) {
    if (at === end && answer === undefined) return;
    const from = at;
    const began = answer !== undefined;
    try {
      answer ??= await reopen(client, get, { ...begun, at });
      for await (const piece of checkedBody(answer, end - at, client.gateway)) {
        at += piece.length;
        yield piece;
      }
      return;
    } catch (error) {
      const answered = began || answer !== undefined;
      answer = undefined;
      fruitless = at > from ? 0 : fruitless + (answered ? 1 : 0);
      if (at > from) [waitMs, advancedAt] = [FIRST_WAIT_MS, now()];
      const broke = isPassing(error) || isNectarError(error, 'CLI_TRANSFER_TRUNCATED');
      if (signal.aborted || !broke || fruitless >= MAX_FRUITLESS || now() - advancedAt > GIVE_UP_MS)
        throw isNectarError(error, 'CLI_TRANSFER_TRUNCATED') ? truncated(at - start, end - start, error) : error;
      get.onBroken(error.code, at);
      await wait(waitMs);
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
    }
  }

  async function reopen(to: Client, { path }: ResumableGet, from: { at: number }): Promise<Answer> {
    const range = `bytes=${from.at}-${end - 1}`;
    const next = await to.download(`${path}?version=${identity.version}`, { range });
    const found = identityOf(next, promisedBytes(next) ?? 0);
    if (next.statusCode === 206 && found.start === from.at && isSame(found.identity, identity)) return next;
    throw new NectarError('CLI_RECORD_CHANGED', { version: identity.version });
  }
}

/** Whether what is told of a version is of that very content. */
export function isSame(one: VersionIdentity, other: VersionIdentity): boolean {
  return one.version === other.version && one.createdAt === other.createdAt && one.bytes === other.bytes;
}

/** What the headers of a GET or HEAD say of the version, and where its body begins. CLI_GATEWAY_ANSWER_INVALID. */
export function identityOf(
  { statusCode, headers }: Pick<Answer, 'statusCode' | 'headers'>,
  bodyBytes: number,
): { identity: VersionIdentity; start: number } {
  const [, from = '0', all = String(bodyBytes)] =
    statusCode === 206 ? (/^bytes (\d+)-\d+\/(\d+)$/.exec(String(headers['content-range'])) ?? []) : [];
  const version = Number(headers['x-nectar-record-version']);
  const createdAt = String(headers['x-nectar-created-at']);
  if (!Number.isSafeInteger(version) || version < 1)
    throw new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: 'a record without its version' });
  return { identity: { version, createdAt, bytes: Number(all) }, start: Number(from) };
}

function truncated(received: number, expected: number, cause: unknown): NectarError {
  return new NectarError('CLI_TRANSFER_TRUNCATED', { expected, received }, { cause });
}
