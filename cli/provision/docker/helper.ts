import { randomBytes } from 'node:crypto';
import { NectarError } from '../../../protocol/errors.ts';
import { ulimits } from './create-body.ts';
import type { MountSpec } from './desired-state.ts';
import type { Engine } from './engine.ts';
import type { ContainerBody } from './engine-containers.ts';
import { LABELS, objectName } from './role-table.ts';

const RUN_TIMEOUT_MS = 120_000;
const MEMORY_BYTES = 256 * 1024 * 1024;

/** A one-shot container of our own image: no network, nothing but the mounts that its work needs. */
export interface HelperRequest {
  readonly nodeId: string;
  readonly version: string;
  readonly image: string;
  readonly uid: number;
  readonly mounts: readonly MountSpec[];
  /** A module for `node --input-type=module -e`, with its arguments. Absent: it is made to reach its volumes, and never runs. */
  readonly program?: { readonly source: string; readonly args: readonly string[] };
  /** Only to hand a file of the host to another owner. */
  readonly capabilities?: readonly string[];
}

/** Makes the helper, does the work with its name, and removes it whatever happens; a later run removes one that was left. */
export async function withHelper<T>(
  engine: Engine,
  request: HelperRequest,
  work: (name: string) => Promise<T>,
): Promise<T> {
  const name = objectName(request.nodeId, `helper-${randomBytes(4).toString('hex')}`);
  await engine.containers.create(helperBody(name, request));
  try {
    return await work(name);
  } finally {
    await engine.withSignal(new AbortController().signal).containers.remove(name, { force: true });
  }
}

/** Runs a helper's program to its end. @throws NectarError CLI_CONTAINER_ENDED with its last line when it does not end well */
export function runHelper(engine: Engine, request: HelperRequest): Promise<void> {
  return withHelper(engine, request, async (name) => {
    await engine.containers.start(name);
    const { exitCode } = await engine.containers.wait(name, RUN_TIMEOUT_MS);
    if (exitCode === 0) return;
    const lines = await engine.containers.logs(name, { tail: 20 });
    const reason = lines.findLast((line) => /Error|error/.test(line)) ?? lines.at(-1) ?? 'it says nothing';
    throw new NectarError('CLI_CONTAINER_ENDED', { container: name, exitCode, reason: reason.trim() });
  });
}

function helperBody(name: string, request: HelperRequest): ContainerBody {
  const { nodeId, version, image, uid, mounts, program, capabilities = [] } = request;
  return {
    name,
    Image: image,
    User: `${uid}:${uid}`,
    Entrypoint: ['/nodejs/bin/node'],
    Cmd: program === undefined ? ['--version'] : ['--input-type=module', '-e', program.source, '--', ...program.args],
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
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
      Mounts: mounts.map(({ kind, source, target, readOnly }) => ({
        Type: kind,
        Source: source,
        Target: target,
        ReadOnly: readOnly,
      })) as never,
    },
  };
}
