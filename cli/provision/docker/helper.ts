import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { NectarError } from '../../../protocol/errors.ts';
import { ulimits } from './create-body.ts';
import type { MountSpec } from './desired-state.ts';
import type { Engine } from './engine.ts';
import type { ContainerBody } from './engine-containers.ts';
import { ownedBy } from './owned.ts';
import { LABELS, objectName } from './role-table.ts';

const RUN_TIMEOUT_MS = 120_000;
const END_TIMEOUT_MS = 30_000;
const MEMORY_BYTES = 256 * 1024 * 1024;
const ALL_LINES = 1_000_000;

/** A one-shot container of our own image: no network, nothing but the mounts that its work needs. */
export interface HelperRequest {
  readonly nodeId: string;
  readonly version: string;
  readonly image: string;
  readonly uid: number;
  readonly mounts: readonly MountSpec[];
  /** What it runs. Absent: it is made to reach its volumes, and never runs. */
  readonly program?: HelperProgram;
  /** Only to hand a file of the host to another owner. */
  readonly capabilities?: readonly string[];
}

export type HelperProgram =
  /** A module for `node --input-type=module -e`, with its arguments. */
  | { readonly source: string; readonly args: readonly string[] }
  /** What the image itself can do; on its standard input what must be no argument, since arguments are for all to see. */
  | { readonly verb: readonly string[]; readonly input?: Uint8Array | undefined };

/** Makes the helper, does the work with its name, and removes it whatever happens; a later run removes one that was left. */
export async function withHelper<T>(
  engine: Engine,
  request: HelperRequest,
  work: (name: string) => Promise<T>,
): Promise<T> {
  await requireVolumes(engine, request);
  const name = objectName(request.nodeId, `helper-${randomBytes(4).toString('hex')}`);
  await engine.containers.create(helperBody(name, request));
  try {
    return await work(name);
  } finally {
    await engine.withSignal(new AbortController().signal).containers.remove(name, { force: true });
  }
}

/** An engine would make a volume that is missing, empty and without our label, and what was lost would look like nothing. */
async function requireVolumes(engine: Engine, { nodeId, mounts }: HelperRequest): Promise<void> {
  const owned = ownedBy(nodeId, engine);
  for (const { kind, source, target } of mounts) {
    if (kind !== 'volume' || (await owned.volume(source))) continue;
    throw new NectarError('VOLUME_MISSING', { volume: basename(target), place: source, loss: 'gone' });
  }
}

/** Runs a helper's program to its end. @throws NectarError CLI_CONTAINER_ENDED with its last line when it does not end well */
export function runHelper(engine: Engine, request: HelperRequest): Promise<void> {
  return withHelper(engine, request, async (name) => {
    await engine.containers.start(name);
    const { exitCode } = await engine.containers.wait(name, RUN_TIMEOUT_MS);
    if (exitCode !== 0) throw ended(name, exitCode, await engine.containers.logs(name, { tail: 20 }));
  });
}

/** The same for work that takes its time: as long as the engine's signal lets it, its lines told as they come. */
export function followHelper(engine: Engine, request: HelperRequest, onLine: (line: string) => void): Promise<void> {
  return withHelper(engine, request, async (name) => {
    const input = inputOf(request);
    if (input !== undefined) await engine.containers.give(name, input);
    await engine.containers.start(name);
    for await (const line of await engine.containers.follow(name, { tail: ALL_LINES })) onLine(line);
    const { exitCode } = await engine.containers.wait(name, END_TIMEOUT_MS);
    if (exitCode !== 0) throw ended(name, exitCode, await engine.containers.logs(name, { tail: 20 }));
  });
}

function ended(container: string, exitCode: number, lines: readonly string[]): NectarError<'CLI_CONTAINER_ENDED'> {
  const reason = lines.findLast((line) => /Error|error/.test(line)) ?? lines.at(-1) ?? 'it says nothing';
  return new NectarError('CLI_CONTAINER_ENDED', { container, exitCode, reason: reason.trim() });
}

function inputOf({ program }: HelperRequest): Uint8Array | undefined {
  return program !== undefined && 'verb' in program ? program.input : undefined;
}

function commandOf(program: HelperProgram | undefined): string[] {
  if (program === undefined) return ['--version'];
  if ('verb' in program) return ['/app/main.mjs', ...program.verb];
  return ['--input-type=module', '-e', program.source, '--', ...program.args];
}

function helperBody(name: string, request: HelperRequest): ContainerBody {
  const { nodeId, version, image, uid, mounts, program, capabilities = [] } = request;
  return {
    name,
    Image: image,
    User: `${uid}:${uid}`,
    Entrypoint: ['/nodejs/bin/node'],
    Cmd: commandOf(program),
    ...(inputOf(request) !== undefined && { OpenStdin: true, StdinOnce: true, AttachStdin: true }),
    WorkingDir: '/',
    Healthcheck: { Test: ['NONE'] },
    Labels: { [LABELS.node]: nodeId, [LABELS.role]: 'helper', [LABELS.version]: version },
    HostConfig: {
      NetworkMode: 'none',
      // The engine lets nobody extract into a read-only container, not even into its volumes, unless the path is in one.
      ReadonlyRootfs: program !== undefined,
      CapDrop: ['ALL'],
      CapAdd: [...capabilities],
      SecurityOpt: ['no-new-privileges:true'],
      Memory: MEMORY_BYTES,
      MemorySwap: MEMORY_BYTES,
      PidsLimit: 32,
      Ulimits: ulimits(1024),
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '8m' } },
      Mounts: mounts.map(({ kind, source, target, readOnly }) => ({
        Type: kind,
        Source: source,
        Target: target,
        ReadOnly: readOnly,
      })) as never,
    },
  };
}
