import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { loadConfig, readPublicIdentity } from '../../appliance/config/index.ts';
import { makeFolder, replaceFile } from '../../appliance/durable-file.ts';
import { advanceAuthority, openAuthority, type Rotation, writing } from '../provision/crossings/authority-folder.ts';
import { requireClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { type CrossingPairs, issueCrossingPairs } from '../provision/kubernetes/crossing-pairs.ts';
import { CROSSINGS, SECRETS } from '../provision/kubernetes/emit-files.ts';
import { CROSSING_DAYS, VALUES } from '../provision/kubernetes/init-kubernetes.ts';
import { apiManifest, crossingManifests, type Manifest, SECRET_FILES } from '../provision/kubernetes/node-secrets.ts';
import { gatewayNames, instanceOf, type ReleaseName } from '../provision/kubernetes/release-names.ts';
import { invalidSecret, readSecret } from '../provision/kubernetes/secret-file.ts';
import { toYaml } from '../provision/kubernetes/yaml.ts';
import { refuseInside } from '../provision/process/create-home.ts';
import { overwriteAndRemove } from '../provision/process/overwrite.ts';
import { withScratch } from '../provision/staging-folder.ts';
import type { Terminal } from '../terminal.ts';
import { renewCertificate } from './renew-certificate.ts';
import { unlockKeys } from './unlock-keys.ts';

/** Nothing else of a Secret becomes a file: its keys are names that somebody else chose. */
const SEALED = /^[a-z0-9-]{1,64}\.sealed$/;
const PRIVATE = 0o600;
const ROOT_KEY = 'root.key';

export interface RenewSecrets {
  /** Of a node in a cluster: what is public of it. */
  readonly home: string;
  /** As `init --emit` wrote it, or a new one. */
  readonly folder: string;
  /** The Secret with the sealed identities; undefined: that of the folder. */
  readonly identityFile: string | undefined;
  /** The key that opens them; undefined: that of the home's configuration, that of the folder, or a passphrase. */
  readonly keyFile: string | undefined;
  readonly passphraseFile: string | undefined;
  /** Further names of the API's certificate. */
  readonly asked: readonly string[];
  /** The certificate of the API's own authority too. */
  readonly authority: boolean;
  readonly terminal: Terminal;
}

export interface RenewedSecrets extends ReleaseName {
  /** Of the Secrets that are to be applied. */
  readonly files: readonly string[];
  /** When the certificate of the API ends; undefined: it was left as it is. */
  readonly api: string | undefined;
  readonly crossings: {
    /** When the first of them ends. */
    readonly notAfter: string;
    readonly rotation: Rotation;
    /** The folder had no authority: roles do not believe one another until each has its files. */
    readonly isNew: boolean;
  };
  /** Clients need the home's `tls/ca.crt` anew. */
  readonly authority: boolean;
}

/**
 * New certificates for a node in a cluster, written as the Secrets that somebody will apply: that of the API from the node's own CA,
 * whose key is among the sealed identities, and those of the roles from the authority that the folder keeps. No cluster is asked.
 *
 * @throws NectarError CLI_SECRET_FILE_INVALID, CLI_CROSSINGS_FOLDER_INVALID, KEY_FILE_WRONG, KEY_PASSPHRASE_WRONG,
 * GATEWAY_CERTIFICATE_NAME_EXCLUDED, CLI_OUTPUT_UNWRITABLE
 */
export async function renewSecrets(request: RenewSecrets): Promise<RenewedSecrets> {
  const { home, folder, terminal } = request;
  const name = requireClusterTarget(home);
  refuseInside(folder, home);
  // The one that can fail for want of a key comes first: nothing is written then.
  const api = await withScratch(home, (scratch) => renewApi(request, scratch));
  const kept = await openAuthority({
    folder: join(folder, CROSSINGS),
    instance: instanceOf(name),
    now: terminal.now(),
  });
  const crossings = await writePairs(request, name, kept);
  await writeSecret(folder, api.manifest);
  if (api.authority !== undefined) await replaceFile(join(home, 'tls', 'ca.crt'), api.authority, 0o644);
  return {
    ...{ namespace: name.namespace, release: name.release, crossings, api: api.notAfter },
    files: [api.manifest.file, ...crossings.files].map((file) => join(folder, SECRETS, file)),
    authority: api.authority !== undefined,
  };
}

/** The next step of replacing the authority between the roles; the certificate of the API stays as it is. */
export async function rotateSecrets(
  request: Pick<RenewSecrets, 'home' | 'folder' | 'terminal'>,
): Promise<RenewedSecrets> {
  const { home, folder, terminal } = request;
  const name = requireClusterTarget(home);
  refuseInside(folder, home);
  const kept = await advanceAuthority({
    folder: join(folder, CROSSINGS),
    instance: instanceOf(name),
    now: terminal.now(),
  });
  const crossings = await writePairs(request, name, kept);
  return {
    ...{ namespace: name.namespace, release: name.release, crossings, api: undefined, authority: false },
    files: crossings.files.map((file) => join(folder, SECRETS, file)),
  };
}

interface WrittenPairs {
  readonly notAfter: string;
  readonly rotation: Rotation;
  readonly isNew: boolean;
  readonly files: readonly string[];
}

async function writePairs(
  { folder, terminal }: Pick<RenewSecrets, 'folder' | 'terminal'>,
  name: ReleaseName,
  kept: Awaited<ReturnType<typeof openAuthority>>,
): Promise<WrittenPairs> {
  const { instance, rotation, isNew } = kept;
  const pairs = await issueCrossingPairs(kept, { instance, now: terminal.now(), days: CROSSING_DAYS });
  const manifests = crossingManifests(name, pairs);
  for (const manifest of manifests) await writeSecret(folder, manifest);
  return { notAfter: firstEnd(pairs), rotation, isNew, files: manifests.map(({ file }) => file) };
}

function firstEnd(pairs: CrossingPairs): string {
  const ends = Object.values(pairs).map(({ certificate }) => new X509Certificate(certificate).validToDate.getTime());
  return new Date(Math.min(...ends)).toISOString();
}

/** Each file is the whole of its Secret, so that no crash leaves a key with another's certificate. */
async function writeSecret(folder: string, { file, object }: Manifest): Promise<void> {
  const path = join(folder, SECRETS, file);
  await writing(path, async () => {
    await makeFolder(join(folder, SECRETS));
    await replaceFile(path, toYaml(object), PRIVATE);
  });
}

interface RenewedApi {
  readonly manifest: Manifest;
  readonly notAfter: string;
  /** PEM of the node's CA where it is another one now. */
  readonly authority: string | undefined;
}

/** In a folder with what a home has that is needed for it, which is removed afterwards. */
async function renewApi(request: RenewSecrets, scratch: string): Promise<RenewedApi> {
  const { home, terminal, passphraseFile, asked, authority } = request;
  const name = requireClusterTarget(home);
  const tls = join(scratch, 'tls');
  const identityFile = request.identityFile ?? join(request.folder, SECRETS, SECRET_FILES.identity);
  await layOut(request, scratch, identityFile);
  if (readPublicIdentity(scratch).nodeId !== name.nodeId) throw invalidSecret(identityFile, 'it is of another node');
  const before = await readFile(join(tls, 'ca.crt'), 'utf8');
  const keyFile = await findKeyFile(request, scratch);
  const keys = await unlockKeys({ home: scratch, terminal, keyFile, passphraseFile });
  try {
    const names = [...gatewayNames(name), ...(await valuesNames(home))];
    await renewCertificate({ home: scratch, keys, now: terminal.now(), names, asked, authority });
  } finally {
    await keys.stop();
    await overwriteAndRemove(join(scratch, ROOT_KEY));
  }
  const own = new X509Certificate(await readFile(join(tls, 'server.crt')));
  const after = await readFile(join(tls, 'ca.crt'), 'utf8');
  if (!own.verify(new X509Certificate(after).publicKey))
    throw invalidSecret(identityFile, "the key of its CA is not that of the home's tls/ca.crt");
  const manifest = await apiManifest(name, tls);
  return { manifest, notAfter: own.validToDate.toISOString(), authority: after === before ? undefined : after };
}

async function layOut({ home, folder }: RenewSecrets, scratch: string, identityFile: string): Promise<void> {
  const secret = await readSecret(identityFile);
  const needed = (key: string): Buffer => {
    const bytes = secret.get(key);
    if (bytes === undefined) throw invalidSecret(identityFile, `it has no ${key}`);
    return bytes;
  };
  for (const name of ['identity', 'tls']) await mkdir(join(scratch, name), { mode: 0o700 });
  const write = (path: string, bytes: Uint8Array): Promise<void> =>
    writeFile(join(scratch, path), bytes, { mode: PRIVATE });
  await write('keys.json', needed('keys.json'));
  await write(join('identity', 'public.json'), needed('public.json'));
  for (const [key, bytes] of secret) if (SEALED.test(key)) await write(join('identity', key), bytes);
  await write(join('tls', 'ca.crt'), await readFile(join(home, 'tls', 'ca.crt')));
  // Its names go on; of one that is not there any more, those of the values do.
  const api = join(folder, SECRETS, SECRET_FILES.api);
  const old = existsSync(api) ? (await readSecret(api)).get('tls.crt') : undefined;
  if (old !== undefined) await write(join('tls', 'server.crt'), old);
}

/** Empty: a passphrase opens them. */
async function findKeyFile({ home, folder, keyFile, terminal }: RenewSecrets, scratch: string): Promise<string> {
  if (keyFile !== undefined) return keyFile;
  const configured = loadConfig({ home, env: terminal.env }).config.keys.keyFile;
  if (configured !== '' && existsSync(configured)) return configured;
  const path = join(folder, SECRETS, SECRET_FILES.rootKey);
  const root = existsSync(path) ? (await readSecret(path)).get('root-key') : undefined;
  if (root === undefined) return configured;
  const copy = join(scratch, ROOT_KEY);
  await writeFile(copy, root, { mode: PRIVATE });
  root.fill(0);
  return copy;
}

/** What the chart was told. */
async function valuesNames(home: string): Promise<string[]> {
  const path = join(home, VALUES);
  if (!existsSync(path)) return [];
  const values = parse(await readFile(path, 'utf8')) as { gateway?: { tls?: { hostNames?: string[] } } };
  return values.gateway?.tls?.hostNames ?? [];
}
