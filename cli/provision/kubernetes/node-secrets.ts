import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CrossingPair } from './crossing-pairs.ts';
import { CLUSTER_ROLES, type ClusterRole, INSTANCE_LABEL } from './release-labels.ts';
import { type ReleaseName, secretNames } from './release-names.ts';

/** One object of the API of Kubernetes. */
export interface Manifest {
  /** Of the file that holds it. */
  readonly file: string;
  readonly isSecret: boolean;
  readonly object: Readonly<Record<string, unknown>>;
}

/** What a new node has that is for its pods alone. */
export interface NodeParts {
  /** The freshly made home: private halves lie in it still. */
  readonly home: string;
  /** undefined: a person opens it. */
  readonly keyFile: string | undefined;
  readonly crossings: Record<ClusterRole, CrossingPair>;
}

/** Of the standard "restricted", so that the cluster itself refuses what somebody weakens later. */
export function namespaceManifest({ namespace }: Pick<ReleaseName, 'namespace'>): Manifest {
  const level = 'restricted';
  const labels = Object.fromEntries(
    ['enforce', 'warn', 'audit'].map((mode) => [`pod-security.kubernetes.io/${mode}`, level]),
  );
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } };
  return { file: '00-namespace.yaml', isSecret: false, object };
}

/** The Secrets that values.yaml names: sealed identities to adopt, the key that opens them, certificates. */
export async function secretManifests(name: ReleaseName, parts: NodeParts): Promise<Manifest[]> {
  const { home, keyFile, crossings } = parts;
  const names = secretNames(name);
  const read = (...path: string[]): Promise<Buffer> => readFile(join(home, ...path));
  const sealed = (await readdir(join(home, 'identity'))).filter((file) => file.endsWith('.sealed')).sort();
  const identity: Record<string, Buffer> = {
    'keys.json': await read('keys.json'),
    'public.json': await read('identity', 'public.json'),
    // The hashes of the first token: the token itself stays with its owner.
    'tokens.json': await read('tokens.json'),
  };
  for (const file of sealed) identity[file] = await read('identity', file);
  const certificate = {
    'tls.crt': await read('tls', 'server.crt'),
    'tls.key': await read('tls', 'server.key'),
    'ca.crt': await read('tls', 'ca.crt'),
  };
  const secret = (file: string, own: string, data: Readonly<Record<string, Buffer>>, type = 'Opaque'): Manifest => ({
    file,
    isSecret: true,
    object: secretObject(name, { name: own, type, data }),
  });
  return [
    ...(keyFile === undefined
      ? []
      : [secret('10-root-key.yaml', names.rootKey, { 'root-key': await readFile(keyFile) })]),
    secret('11-identity.yaml', names.identity, identity),
    secret('12-api-certificate.yaml', names.gatewayTls, certificate, 'kubernetes.io/tls'),
    ...CLUSTER_ROLES.map((role) =>
      secret(`13-crossing-${role}.yaml`, names.crossings[role], pairData(crossings[role]), 'kubernetes.io/tls'),
    ),
  ];
}

function pairData({ certificate, key, authority }: CrossingPair): Record<string, Buffer> {
  return { 'tls.crt': Buffer.from(certificate), 'tls.key': Buffer.from(key), 'ca.crt': Buffer.from(authority) };
}

function secretObject(
  { namespace, release }: ReleaseName,
  {
    name,
    type,
    data,
  }: { readonly name: string; readonly type: string; readonly data: Readonly<Record<string, Buffer>> },
): Readonly<Record<string, unknown>> {
  const encoded = Object.entries(data).map(([key, bytes]) => {
    const text = bytes.toString('base64');
    bytes.fill(0);
    return [key, text];
  });
  return {
    ...{ apiVersion: 'v1', kind: 'Secret', type },
    metadata: { name, namespace, labels: { 'app.kubernetes.io/part-of': 'nectar-byon', [INSTANCE_LABEL]: release } },
    data: Object.fromEntries(encoded) as Record<string, string>,
  };
}
