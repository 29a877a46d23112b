import { setTimeout } from 'node:timers/promises';
import { Agent, type Dispatcher } from 'undici';
import type { EngineApi } from '../../hardening/collectors/engine-api.ts';
import type { EngineAddress } from '../provision/docker/engine-address.ts';
import { engineProblem } from '../provision/docker/engine-problem.ts';
import { logPayloads } from '../provision/docker/log-frames.ts';

const MAX_JSON_BYTES = 32 * 1024 * 1024;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
const CALL_TIMEOUT_MS = 60_000;
/** Between two chunks of a stream: an engine writes images to disk before it sends the first. */
const STREAM_IDLE_MS = 300_000;
const EXIT_POLL_MS = 100;
const MAX_EXIT_POLLS = 50;

interface Request {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
}

/** The engine's API as the hardening collectors ask for it. Whoever creates it closes it. */
export interface OpenEngineApi extends EngineApi {
  close(): Promise<void>;
}

/**
 * Connects at the first call. Throws what all calls of an engine throw: CLI_ENGINE_UNREACHABLE, CLI_ENGINE_REFUSED, or the signal's
 * reason.
 */
export function createEngineApi(address: EngineAddress): OpenEngineApi {
  const agent = new Agent({
    connect: address.kind === 'unix' ? { socketPath: address.socketPath } : { ...address.tls },
    headersTimeout: STREAM_IDLE_MS,
    bodyTimeout: STREAM_IDLE_MS,
  });
  const origin =
    address.kind === 'unix'
      ? 'http://engine'
      : `${address.tls === undefined ? 'http' : 'https'}://${address.host}:${address.port}`;

  async function send({ method, path, body }: Request, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const sent =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    try {
      return await agent.request({ origin, path, method, signal, ...sent });
    } catch (error) {
      signal.throwIfAborted();
      throw engineProblem(error, { engine: address.url, doing: `asking for ${path}` });
    }
  }

  async function refused(path: string, { statusCode, body }: Dispatcher.ResponseData): Promise<never> {
    const text = await readText(body, MAX_OUTPUT_BYTES).catch(() => '');
    const thrown = { statusCode, message: messageOf(text) };
    throw engineProblem(thrown, { engine: address.url, doing: `asking for ${path}` });
  }

  async function call(request: Request, outer: AbortSignal): Promise<unknown> {
    const signal = AbortSignal.any([outer, AbortSignal.timeout(CALL_TIMEOUT_MS)]);
    const answer = await send(request, signal);
    if (answer.statusCode === 404) return answer.body.dump().then(() => undefined);
    if (answer.statusCode >= 300) return refused(request.path, answer);
    return JSON.parse(await readText(answer.body, MAX_JSON_BYTES));
  }

  async function exitCode(id: string, signal: AbortSignal): Promise<number> {
    for (let poll = 0; poll < MAX_EXIT_POLLS; poll += 1) {
      const state = (await call({ method: 'GET', path: `/exec/${id}/json` }, signal)) as
        | { Running?: unknown; ExitCode?: unknown }
        | undefined;
      if (state?.Running === false && typeof state.ExitCode === 'number') return state.ExitCode;
      await setTimeout(EXIT_POLL_MS, undefined, { signal });
    }
    throw new Error('the engine does not say how the program ended');
  }

  return {
    getJson: (path, signal) => call({ method: 'GET', path }, signal),
    async getStream(path, signal) {
      const answer = await send({ method: 'GET', path }, signal);
      if (answer.statusCode === 404) return answer.body.dump().then(() => undefined);
      if (answer.statusCode >= 300) return refused(path, answer);
      return answer.body;
    },
    async exec(container, argv, outer) {
      const signal = AbortSignal.any([outer, AbortSignal.timeout(CALL_TIMEOUT_MS)]);
      // Without stderr all frames are of one stream.
      const body = { AttachStdout: true, AttachStderr: false, Tty: false, Cmd: [...argv] };
      const path = `/containers/${encodeURIComponent(container)}/exec`;
      const made = (await call({ method: 'POST', path, body }, signal)) as { Id?: unknown } | undefined;
      if (typeof made?.Id !== 'string' || !/^[0-9a-f]+$/.test(made.Id)) throw new Error(`there is no ${container}`);
      const start = { method: 'POST', path: `/exec/${made.Id}/start`, body: { Detach: false, Tty: false } } as const;
      const answer = await send(start, signal);
      if (answer.statusCode >= 300) return refused(start.path, answer);
      const stdout = await readText(logPayloads(answer.body), MAX_OUTPUT_BYTES);
      return { stdout, exitCode: await exitCode(made.Id, signal) };
    },
    close: () => agent.destroy(),
  };
}

async function readText(source: AsyncIterable<Uint8Array>, most: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    length += chunk.length;
    if (length > most) throw new Error(`the engine's answer is longer than ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? message : text;
  } catch {
    return text;
  }
}
