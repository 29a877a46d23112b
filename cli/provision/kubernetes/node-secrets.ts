import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CrossingPairs } from './crossing-pairs.ts';
import { CLUSTER_ROLES, INSTANCE_LABEL } from './release-labels.ts';
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
  readonly crossings: CrossingPairs;
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
  return [
    ...(keyFile === undefined
      ? []
      : [
          secretFile(name, SECRET_FILES.rootKey, {
            name: names.rootKey,
            data: { 'root-key': await readFile(keyFile) },
          }),
        ]),
    secretFile(name, SECRET_FILES.identity, { name: names.identity, data: identity }),
    await apiManifest(name, join(home, 'tls')),
    ...crossingManifests(name, crossings),
  ];
}

/** Where each Secret lies in a folder of `--emit`, below `secrets/`. */
export const SECRET_FILES = {
  rootKey: '10-root-key.yaml',
  identity: '11-identity.yaml',
  api: '12-api-certificate.yaml',
} as const;

/** The certificate of the API, from the `tls/` of a home. */
export async function apiManifest(name: ReleaseName, folder: string): Promise<Manifest> {
  const data = {
    'tls.crt': await readFile(join(folder, 'server.crt')),
    'tls.key': await readFile(join(folder, 'server.key')),
    'ca.crt': await readFile(join(folder, 'ca.crt')),
  };
  return secretFile(name, SECRET_FILES.api, { name: secretNames(name).gatewayTls, data, type: TLS });
}

/** What each role shows at its crossings. */
export function crossingManifests(name: ReleaseName, crossings: CrossingPairs): Manifest[] {
  const names = secretNames(name).crossings;
  return CLUSTER_ROLES.map((role) => {
    const { certificate, key, authority } = crossings[role];
    const data = { 'tls.crt': Buffer.from(certificate), 'tls.key': Buffer.from(key), 'ca.crt': Buffer.from(authority) };
    return secretFile(name, `13-crossing-${role}.yaml`, { name: names[role], data, type: TLS });
  });
}

const TLS = 'kubernetes.io/tls';

interface SecretParts {
  readonly name: string;
  readonly type?: string;
  readonly data: Readonly<Record<string, Buffer>>;
}

function secretFile(name: ReleaseName, file: string, parts: SecretParts): Manifest {
  return { file, isSecret: true, object: secretObject(name, parts) };
}

function secretObject(
  { namespace, release }: ReleaseName,
  { name, type = 'Opaque', data }: SecretParts,
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
