import { readFileSync, statSync } from 'node:fs';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { NectarError } from '../../../protocol/errors.ts';
import { writeWhole } from '../write-whole.ts';
import { hasTarget, targetPath } from './target-path.ts';

const MAX_FILE_BYTES = 64 * 1024;

const role = <T extends Type.TSchema>(of: T) =>
  Type.Object({ gateway: of, store: of, audit: of, rollup: of }, { additionalProperties: false });
const imageId = Type.String({ pattern: '^sha256:[0-9a-f]{64}$' });
const limits = Type.Object(
  {
    memoryBytes: Type.Optional(Type.Integer({ minimum: 64 * 1024 * 1024 })),
    cpus: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 512 })),
    pids: Type.Optional(Type.Integer({ minimum: 16, maximum: 4096 })),
    openFiles: Type.Optional(Type.Integer({ minimum: 1024, maximum: 1_048_576 })),
  },
  { additionalProperties: false },
);
/** HOME/target.json: what the CLI must know to find, keep and remove the containers of a node. No secrets. */
const targetSchema = Type.Object(
  {
    version: Type.Literal(1),
    target: Type.Literal('docker'),
    /** `creating` until the volumes are complete: an interrupted `init` goes on or takes it away. */
    state: Type.Union([Type.Literal('creating'), Type.Literal('ready')]),
    engine: Type.String({ maxLength: 512 }),
    engineKind: Type.Union([Type.Literal('docker'), Type.Literal('podman')]),
    nodeId: Type.String({ pattern: '^[0-9a-f]{32}$' }),
    /** Of the program in the images. */
    programVersion: Type.String({ maxLength: 64 }),
    images: role(imageId),
    /** For a rollback. */
    previous: Type.Optional(
      Type.Object(
        { programVersion: Type.String({ maxLength: 64 }), images: role(imageId) },
        { additionalProperties: false },
      ),
    ),
    limits: Type.Optional(Type.Partial(role(limits))),
  },
  { additionalProperties: false },
);

export type DockerTarget = Static<typeof targetSchema>;

/** undefined: the home is one of the process target. @throws NectarError CLI_TARGET_FILE_INVALID */
export function findTarget(home: string): DockerTarget | undefined {
  const path = targetPath(home);
  if (!hasTarget(home)) return undefined;
  let value: unknown;
  try {
    if (statSync(path).size > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new NectarError('CLI_TARGET_FILE_INVALID', { path, problems: [(error as Error).message] }, { cause: error });
  }
  if (Value.Check(targetSchema, value)) return value;
  // Who can do the same in a cluster has asked for that first (kubernetes/cluster-target.ts).
  if (isClusterTarget(value)) throw new NectarError('CLUSTER_VERB_UNAVAILABLE', { home });
  const problems = Value.Errors(targetSchema, value).map(
    ({ instancePath, message }) => `${instancePath || '/'} ${message}`,
  );
  throw new NectarError('CLI_TARGET_FILE_INVALID', { path, problems });
}

function isClusterTarget(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'target' in value && value.target === 'kubernetes';
}

/** Replaces the file in one step. */
export async function writeTarget(home: string, target: DockerTarget): Promise<void> {
  await writeWhole(home, 'target.json', `${JSON.stringify(target, undefined, 2)}\n`);
}
