import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import type { EngineCalls } from './engine-calls.ts';
import { statusOf } from './engine-problem.ts';
import { logLines } from './log-frames.ts';

/** Volumes and images of any size. */
export const TRANSFER_TIMEOUT_MS = 60 * 60_000;
/** Beyond the time that a container has to end. */
const GRACE_MS = 15_000;

export type ContainerBody = Dockerode.ContainerCreateOptions;
export type ContainerState = Dockerode.ContainerInspectInfo;
export type ContainerSummary = Dockerode.ContainerInfo;
export type ContainerStats = Dockerode.ContainerStats;

export interface LogOptions {
  /** How many of the last lines; absent: all. */
  readonly tail?: number;
  /** Of those said since then, in seconds of Unix time. */
  readonly since?: number;
  /** Each line begins with its RFC 3339 time and a space. */
  readonly timestamps?: boolean;
}

/** Containers of an engine, by name or id. */
export interface Containers {
  find(name: string): Promise<ContainerState | undefined>;
  /** In all states, by labels such as `org.nectar-byon.node=...`. */
  list(labels: readonly string[]): Promise<ContainerSummary[]>;
  /** Returns the id. */
  create(body: ContainerBody): Promise<string>;
  /** Writes to the standard input of one that was made with it, before or while it runs, and closes it. */
  give(name: string, input: Uint8Array): Promise<void>;
  /** One that runs already stays. */
  start(name: string): Promise<void>;
  /** SIGTERM, then SIGKILL after the time; one that is gone or stopped is fine. */
  stop(name: string, timeoutMs: number): Promise<void>;
  kill(name: string, signal: string): Promise<void>;
  rename(name: string, to: string): Promise<void>;
  /** One that is gone is fine. Anonymous volumes go too; named ones never do. */
  remove(name: string, options?: { readonly force?: boolean }): Promise<void>;
  /** Until it ends. */
  wait(name: string, timeoutMs: number): Promise<{ readonly exitCode: number }>;
  stats(name: string): Promise<ContainerStats>;
  logs(name: string, options: LogOptions): Promise<string[]>;
  /** Until the engine's signal or the container's end. */
  follow(name: string, options: LogOptions): Promise<AsyncIterable<string>>;
  /** Runs a program in the running container, and gives the lines of its stdout. */
  ask(name: string, command: readonly string[]): Promise<string[]>;
  /** Extracts a tar at `path`; also into volumes of a container that never started. Owners and modes are the tar's. */
  putArchive(name: string, path: string, tar: Buffer | Readable): Promise<void>;
  /** A tar of what lies at `path`, of a container in any state. */
  getArchive(name: string, path: string): Promise<Readable>;
}

export function createContainers({ docker, signal, must, find, settle }: EngineCalls): Containers {
  const of = (name: string): Dockerode.Container => docker.getContainer(name);
  return {
    find: (name) => find(`looking at ${name}`, (abortSignal) => of(name).inspect({ abortSignal })),
    list: (labels) =>
      must('listing containers', (abortSignal) =>
        docker.listContainers({ all: true, abortSignal, filters: { label: [...labels] } }),
      ),
    create: async (body) =>
      (await must(`creating ${body.name}`, (abortSignal) => docker.createContainer({ ...body, abortSignal }))).id,
    give: (name, input) =>
      must(`writing to ${name}`, async (abortSignal) => {
        const attached = { stream: true, hijack: true, stdin: true, stdout: false, stderr: false, abortSignal };
        const stream = await of(name).attach(attached);
        stream.end(input);
      }),
    start: (name) =>
      must(`starting ${name}`, (abortSignal) => of(name).start({ abortSignal }).catch(ignoreAlreadyStarted)),
    stop: (name, timeoutMs) =>
      settle(
        `stopping ${name}`,
        (abortSignal) => of(name).stop({ t: Math.ceil(timeoutMs / 1000), abortSignal }),
        timeoutMs + GRACE_MS,
      ),
    kill: (name, kill) =>
      must(`signalling ${name}`, (abortSignal) => of(name).kill({ signal: kill, abortSignal })) as Promise<void>,
    rename: (name, to) =>
      must(`renaming ${name}`, (abortSignal) => of(name).rename({ name: to, abortSignal })) as Promise<void>,
    remove: (name, { force = false } = {}) =>
      settle(`removing ${name}`, (abortSignal) => of(name).remove({ v: true, force, ...{ abortSignal } })),
    wait: async (name, timeoutMs) => {
      const ended = await must(`waiting for ${name}`, (abortSignal) => of(name).wait({ abortSignal }), timeoutMs);
      return { exitCode: (ended as { StatusCode: number }).StatusCode };
    },
    stats: (name) =>
      must(`measuring ${name}`, (abortSignal) =>
        of(name).stats({ stream: false, 'one-shot': true, ...{ abortSignal } }),
      ),
    logs: async (name, options) => {
      const bytes = await must(`reading the log of ${name}`, (abortSignal) =>
        of(name).logs({ ...options, follow: false, stdout: true, stderr: true, abortSignal }),
      );
      // An empty log comes as an empty buffer.
      return collect(logLines(chunksOf(bytes)));
    },
    follow: async (name, options) => {
      const stream = await must(`following the log of ${name}`, () =>
        of(name).logs({ ...options, follow: true, stdout: true, stderr: true, abortSignal: signal }),
      );
      return logLines(stream as Readable);
    },
    ask: async (name, command) => {
      const options = { Cmd: [...command], AttachStdout: true, AttachStderr: false };
      const begun = await must(`asking ${name}`, (abortSignal) => of(name).exec({ ...options, abortSignal }));
      const stream = await must(`asking ${name}`, (abortSignal) => begun.start({ Detach: false, abortSignal }));
      return collect(logLines(stream as Readable));
    },
    putArchive: async (name, path, tar) => {
      await must(
        `writing into ${name}`,
        (abortSignal) => of(name).putArchive(tar, { path, abortSignal }),
        TRANSFER_TIMEOUT_MS,
      );
    },
    getArchive: async (name, path) =>
      (await must(`reading from ${name}`, () => of(name).getArchive({ path, abortSignal: signal }))) as Readable,
  };
}

async function* chunksOf(bytes: Buffer | string): AsyncGenerator<Buffer> {
  yield Buffer.from(bytes as Buffer);
}

function ignoreAlreadyStarted(error: unknown): void {
  if (statusOf(error) !== 304) throw error;
}

async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}
