import { Readable } from 'node:stream';
import { Agent, type Dispatcher, request } from 'undici';
import { TABLES } from '../../../protocol/backup/repository.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import { problemOf } from '../../client.ts';
import type { NodeCredentials } from './node-credentials.ts';
import { sendAgain } from './send-again.ts';
import type { ObjectContent, Target } from './target.ts';

const CONNECT_MS = 10_000;
/** The first listing of a large repository counts what is there. */
const ANSWER_MS = 300_000;
const MAX_PROBLEM_BYTES = 64 * 1024;
const MAX_LINE_CHARS = 4096;
const REMOVED_AT_ONCE = 1_000;
const PASSING = new Set([429, 502, 503, 504]);
const OBJECTS_PATH = '/v1/custody/objects';

/**
 * A repository at another node, over its HTTPS API, with a token that opens this repository alone; that node's own authority is the only
 * one that is trusted. Nothing is replaced there. Removals wait for `settle`, and go together.
 */
export function createNodeTarget(url: string, { token, ca }: NodeCredentials, signal: AbortSignal): Target {
  const gateway = gatewayOf(url);
  const agent = new Agent({
    connect: { timeout: CONNECT_MS, ca },
    headersTimeout: ANSWER_MS,
    bodyTimeout: ANSWER_MS,
  });
  let going: string[] = [];
  const refuse = (reason: string, cause?: unknown): never => {
    throw new NectarError('BACKUP_TARGET_REFUSED', { target: url, reason }, { cause });
  };

  function send(
    method: Dispatcher.HttpMethod,
    path: string,
    content?: ObjectContent,
  ): Promise<Dispatcher.ResponseData> {
    const once = (): Promise<Dispatcher.ResponseData> =>
      request(new URL(path, gateway), {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(content !== undefined && {
            'content-type': method === 'POST' ? 'application/json' : 'application/octet-stream',
            'content-length': String(content.bytes),
          }),
        },
        body: content === undefined ? null : Readable.from(content.read(), { objectMode: false }),
        dispatcher: agent,
        signal,
      });
    return sendAgain(once, { passing: PASSING, signal, refuse });
  }

  async function expect(answer: Dispatcher.ResponseData, status: number): Promise<Dispatcher.ResponseData> {
    if (answer.statusCode === status) return answer;
    let text = '';
    for await (const chunk of answer.body as AsyncIterable<Buffer>)
      if (text.length < MAX_PROBLEM_BYTES) text += chunk.toString('utf8');
    const problem = problemOf(answer.statusCode, text);
    if (isNectarError(problem, 'CLI_GATEWAY_PROBLEM')) return refuse(problem.message, problem);
    throw problem;
  }

  async function removeNow(path: string, names: readonly string[]): Promise<void> {
    for (let at = 0; at < names.length; at += REMOVED_AT_ONCE) {
      const body = Buffer.from(JSON.stringify({ names: names.slice(at, at + REMOVED_AT_ONCE) }));
      const content = { bytes: body.length, sha256: '', read: () => once(body) };
      const answer = await expect(await send('POST', path, content), 200);
      await answer.body.dump();
    }
  }

  return {
    url,
    async *list(prefix) {
      const answer = await expect(await send('GET', `${OBJECTS_PATH}?part=${encodeURIComponent(prefix)}`), 200);
      yield* parseList(answer.body as AsyncIterable<Buffer>, () => refuse('its list is malformed or ends early'));
    },
    async *read(name) {
      const answer = await send('GET', objectPath(name));
      if (answer.statusCode === 404) {
        await answer.body.dump();
        throw new NectarError('BACKUP_OBJECT_MISSING', { object: name });
      }
      yield* (await expect(answer, 200)).body as AsyncIterable<Uint8Array>;
    },
    async create(name, content) {
      const answer = await send('PUT', objectPath(name), content);
      if (answer.statusCode !== 412) await expect(answer, 201);
      await answer.body.dump();
      return answer.statusCode === 201;
    },
    async remove(name) {
      going.push(name);
    },
    async settle() {
      const names = going;
      going = [];
      const tables = names.filter((name) => name.startsWith(TABLES));
      await removeNow('/v1/custody/supersessions', tables);
      await removeNow(
        '/v1/custody/prunings',
        names.filter((name) => !name.startsWith(TABLES)),
      );
    },
    warnings: async () => [],
    close: () => agent.close(),
  };
}

/** @throws NectarError CLI_USAGE for what is no node://HOST:PORT */
function gatewayOf(url: string): string {
  const [, host] = /^node:\/\/((?:[A-Za-z0-9.-]{1,253}|\[[0-9a-f:]{2,45}\])(?::[0-9]{1,5})?)$/.exec(url) ?? [];
  if (host === undefined) throw new NectarError('CLI_USAGE', { problem: `${url} is not node://HOST:PORT` });
  return `https://${host}`;
}

function objectPath(name: string): string {
  return `${OBJECTS_PATH}/${encodeURIComponent(name)}`;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** A list that was cut off does not pass for a short one: it would bring back what is there, or prune what is needed. */
async function* parseList(
  source: AsyncIterable<Buffer>,
  refuse: () => never,
): AsyncGenerator<{ readonly name: string; readonly bytes: number }> {
  let [rest, count, ended] = ['', 0, false];
  for await (const chunk of source) {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARS) refuse();
    for (const line of lines) {
      const { name, bytes, end } = parseLine(line) ?? refuse();
      if (ended) refuse();
      ended = end === count;
      if (ended) continue;
      if (typeof name !== 'string' || typeof bytes !== 'number') return refuse();
      count += 1;
      yield { name, bytes };
    }
  }
  if (!ended || rest !== '') refuse();
}

function parseLine(line: string): { name?: unknown; bytes?: unknown; end?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
