import { readFileSync, statSync } from 'node:fs';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { NectarError } from '../../../protocol/errors.ts';
import { hasTarget, targetPath } from '../docker/target-path.ts';
import { writeWhole } from '../write-whole.ts';

const MAX_FILE_BYTES = 64 * 1024;

/** RFC 1123: names of namespaces and releases. */
export const NAME_PATTERN = '^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$';

/** HOME/target.json of a node in Kubernetes: what the CLI must know to find it. No secrets. */
const clusterTargetSchema = Type.Object(
  {
    version: Type.Literal(1),
    target: Type.Literal('kubernetes'),
    /** `emitted`: the files were written for somebody else to apply; `creating`: an interrupted `init` goes on. */
    state: Type.Union([Type.Literal('emitted'), Type.Literal('creating'), Type.Literal('ready')]),
    /** Files as in KUBECONFIG; absent: as KUBECONFIG says at the time. */
    kubeconfig: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
    /** Absent: the current one of those files. */
    context: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
    namespace: Type.String({ pattern: NAME_PATTERN }),
    release: Type.String({ pattern: NAME_PATTERN }),
    /** Folder, archive or oci:// address. */
    chart: Type.String({ minLength: 1, maxLength: 4096 }),
    nodeId: Type.String({ pattern: '^[0-9a-f]{32}$' }),
    /** Of the program that made it. */
    programVersion: Type.String({ maxLength: 64 }),
    /** Where the API is reached; absent: through kubectl's port forwarding. */
    gateway: Type.Optional(Type.String({ pattern: '^https://[^/?#@]+$', maxLength: 512 })),
    /** Copies that `down` took away and `up` brings back, by role. */
    replicas: Type.Optional(Type.Record(Type.String({ maxLength: 32 }), Type.Integer({ minimum: 1, maximum: 64 }))),
  },
  { additionalProperties: false },
);
export type ClusterTarget = Static<typeof clusterTargetSchema>;

/** undefined: the node of the home runs elsewhere than in Kubernetes. @throws NectarError CLI_TARGET_FILE_INVALID */
export function findClusterTarget(home: string): ClusterTarget | undefined {
  if (!hasTarget(home)) return undefined;
  const path = targetPath(home);
  let value: unknown;
  try {
    if (statSync(path).size > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new NectarError('CLI_TARGET_FILE_INVALID', { path, problems: [(error as Error).message] }, { cause: error });
  }
  const isOfCluster = typeof value === 'object' && value !== null && 'target' in value && value.target === 'kubernetes';
  if (!isOfCluster) return undefined;
  if (Value.Check(clusterTargetSchema, value)) return value;
  const problems = Value.Errors(clusterTargetSchema, value).map(
    ({ instancePath, message }) => `${instancePath || '/'} ${message}`,
  );
  throw new NectarError('CLI_TARGET_FILE_INVALID', { path, problems });
}

/** @throws NectarError CLI_HOME_MISSING */
export function requireClusterTarget(home: string): ClusterTarget {
  const target = findClusterTarget(home);
  if (target === undefined) throw new NectarError('CLI_HOME_MISSING', { home });
  return target;
}

/** Replaces the file in one step. */
export async function writeClusterTarget(home: string, target: ClusterTarget): Promise<void> {
  await writeWhole(home, 'target.json', `${JSON.stringify(target, undefined, 2)}\n`);
}
