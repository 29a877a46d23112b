import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolders } from '../../../appliance/make-folders.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { keepAuthority } from '../crossings/authority-folder.ts';
import type { CrossingAuthority } from '../crossings/crossing-authority.ts';
import { type Manifest, SECRET_FILES } from './node-secrets.ts';
import { type ReleaseName, secretNames } from './release-names.ts';
import { toYaml } from './yaml.ts';

const PRIVATE = 0o600;
const PRIVATE_FOLDER = 0o700;
/** In a folder of `--emit`: what is applied, and what stays with whoever renews it. */
export const SECRETS = 'secrets';
export const CROSSINGS = 'crossings';

export interface Emission {
  readonly name: ReleaseName;
  readonly manifests: readonly Manifest[];
  readonly values: Readonly<Record<string, unknown>>;
  /** Of the crossings, with its key, for whoever renews their certificates. */
  readonly authority: CrossingAuthority;
  readonly nodeId: string;
  readonly chart: string;
}

/**
 * Writes what somebody else will apply. Secrets and the authority of the crossings have folders of their own, which a
 * repository leaves out; nothing outside of them is secret. Every file is new, and its owner's alone.
 *
 * @throws NectarError CLI_OUTPUT_EXISTS, CLI_OUTPUT_UNWRITABLE
 */
export async function emitFiles(folder: string, emission: Emission): Promise<string[]> {
  if (existsSync(folder)) throw new NectarError('CLI_OUTPUT_EXISTS', { path: folder });
  const { manifests, values, authority } = emission;
  const files: [string, string][] = [
    ...manifests.map(({ file, isSecret, object }): [string, string] => [
      join(isSecret ? SECRETS : '.', file),
      toYaml(object),
    ]),
    ['values.yaml', toYaml(values)],
    ['README.md', readmeOf(emission)],
    ['.gitignore', `${SECRETS}/\n${CROSSINGS}/\n`],
  ];
  try {
    await makeFolders(folder, PRIVATE_FOLDER);
    for (const [path, text] of files) await writeNew(join(folder, path), text);
    await keepAuthority(join(folder, CROSSINGS), authority);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new NectarError('CLI_OUTPUT_UNWRITABLE', { path: folder, reason }, { cause: error });
  }
  return files.map(([path]) => path);
}

async function writeNew(path: string, text: string): Promise<void> {
  await makeFolders(dirname(path), PRIVATE_FOLDER);
  const file = await open(path, 'wx', PRIVATE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function readmeOf({ name, nodeId, chart, manifests }: Emission): string {
  const { namespace, release } = name;
  const names = secretNames(name);
  const hasRootKey = manifests.some(({ file }) => file === SECRET_FILES.rootKey);
  return `# Node ${nodeId.slice(0, 8)}: release ${release} in namespace ${namespace}

Made by \`nectar-byon init --target kubernetes --emit\`. Apply in this order:

1. \`kubectl apply --server-side -f 00-namespace.yaml\`
   The namespace refuses pods below the standard "restricted".
2. \`kubectl apply --server-side -n ${namespace} -f secrets/\`
   With \`--server-side\`, so that kubectl leaves no copy of the data in an annotation.
3. \`helm install ${release} ${chart} -n ${namespace} -f values.yaml\`
   Add your own values with further \`-f\`.
4. \`nectar-byon status\` with the home that was made beside these files${hasRootKey ? '' : '; then `nectar-byon unlock`: a person opens this node'}.

## What is secret

Only \`secrets/\` and \`crossings/\`; \`.gitignore\` leaves them out. Nothing in \`values.yaml\` is: descriptor and identity are public, Secrets are named.

| file | what | who needs it later |
|---|---|---|
${hasRootKey ? `| secrets/10-root-key.yaml | \`${names.rootKey}\`: the key that opens every record | the cluster, at each start of the store; keep a copy where the cluster is not |\n` : ''}| secrets/11-identity.yaml | \`${names.identity}\`: keys and identities, sealed by the root key; hashes of the first token | the store, once: it takes them over when its volume is empty, and makes no new node without them |
| secrets/12-api-certificate.yaml | \`${names.gatewayTls}\`: certificate and key of the API | the gateway |
| secrets/13-crossing-*.yaml | a certificate for each role, from an authority of this node alone | each role |
| crossings/ca/authority.pem | that authority and its key | nobody in the cluster: you, to renew the certificates. Keep it with the key that opens the records |

For GitOps put the Secrets into your vault (External Secrets), or seal them (Sealed Secrets, SOPS) under the same names and keys, and give \`values.yaml\` to Argo CD or Flux. Then remove \`secrets/\`, but keep \`11-identity.yaml\` with \`crossings/\`: certificates are renewed from them.

## Once a year

The certificates between the roles live for a year, that of the API for thirteen months; \`nectar-byon doctor\` and the alarms say when they end. Beside these files, without a cluster:

1. \`nectar-byon tls renew --emit .\`, with \`--home\` and the key that opens the node: new certificates of the same authorities, in \`secrets/\`.
2. Apply what it names, as in step 2 above, or bring it to your vault. No pod restarts.

\`nectar-byon crossings rotate --emit .\` replaces the authority between the roles in three steps.
`;
}
