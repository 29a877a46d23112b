import { randomBytes } from 'node:crypto';
import { constants, existsSync, realpathSync } from 'node:fs';
import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { homePaths, type PublicIdentity } from '../../../appliance/config/index.ts';
import { createCertificates } from '../../../appliance/gateway/tls.ts';
import { createTokenSigner, createTokens } from '../../../appliance/gateway/tokens.ts';
import { createRootKey, type Enrolment, type Keys, nodeEnvelopeCrypto } from '../../../appliance/keys/index.ts';
import { createIdentities, IDENTITIES } from '../../../appliance/keys/node-identity.ts';
import { makeFolders } from '../../../appliance/make-folders.ts';
import { markVolumes } from '../../../appliance/volume-marks.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { refuseExisting } from '../../home-folder.ts';
import { buildAside, sweepAbandoned } from '../staging-folder.ts';
import { homeError } from './home-error.ts';
import { openKeys } from './open-keys.ts';

/** The CLI's own token lasts as long as the gateway allows; `up` replaces it when its end is near. */
const CLIENT_TOKEN_SECONDS = 366 * 86_400;

export interface HomeRequest {
  readonly home: string;
  readonly enrol: Enrolment;
  /** What differs from the defaults. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The signed descriptor, as it is. */
  readonly descriptor: Uint8Array;
  /** Further names of the server certificate. */
  readonly names: readonly string[];
  /** A snapshot that the node takes at its first start. */
  readonly snapshot?: string | undefined;
  readonly signal: AbortSignal;
  now(): number;
}

/** Before anything is built: `keys` would only see that the file lies outside the folder in which the home is being built. */
export function refuseInside(path: string, home: string): void {
  const below = relative(realPath(home), realPath(path));
  if (!below.startsWith('..') && !isAbsolute(below)) throw new NectarError('KEY_FILE_INSIDE_HOME', { path, home });
}

/** With the links of whatever exists of it resolved. */
function realPath(path: string): string {
  const full = resolve(path);
  if (existsSync(full)) return realpathSync(full);
  return dirname(full) === full ? full : join(realPath(dirname(full)), basename(full));
}

/**
 * Makes the home of a new node. All of it is built beside the final place and renamed there at the end, so that an interrupted `init`
 * leaves nothing behind that looks like a node.
 */
export async function createHome(request: HomeRequest, say: (step: string) => void): Promise<PublicIdentity> {
  const { home, signal, enrol } = request;
  refuseExisting(home);
  const keyFile = keyFileOf(enrol);
  if (keyFile !== undefined) refuseInside(keyFile, home);
  const madeKeyFile = keyFile !== undefined && !existsSync(keyFile);
  try {
    await sweepAbandoned(home, 'partial');
    return await buildAside(home, 'partial', async (folder) => {
      const identity = await fillHome(folder, request, say);
      await markVolumes(folder);
      signal.throwIfAborted();
      return identity;
    });
  } catch (error) {
    if (madeKeyFile) await rm(keyFile, { force: true });
    throw homeError(error, home);
  }
}

/** Makes what a home holds in an empty folder: keys, identities, certificates, first token, configuration. */
export async function fillHome(
  folder: string,
  request: HomeRequest,
  say: (step: string) => void,
): Promise<PublicIdentity> {
  const { enrol, signal, now } = request;
  const nodeId = randomBytes(16).toString('hex');
  const deps = {
    crypto: nodeEnvelopeCrypto,
    now: () => new Date(now()),
    randomBytes: (length: number) => new Uint8Array(randomBytes(length)),
  };
  say('root key');
  const keyFile = keyFileOf(enrol) ?? '';
  // Never slice(): of a Buffer it is the same memory, and the two are wiped apart.
  const passphrase = enrol.secret === undefined ? undefined : new Uint8Array(enrol.secret);
  await createRootKey({ home: folder, enroll: [enrol], keyFile }, deps);
  const keys = await openKeys({ home: folder, keyFile, now, signal });
  try {
    if (passphrase !== undefined) await keys.unlock({ provider: enrol.provider, passphrase });
    signal.throwIfAborted();
    say('identities');
    const { identity, tokenKey } = await createIdentities(keys, nodeId);
    say('certificates');
    await writeTls(folder, keys, { nodeId, request });
    say('access token');
    await writeClientToken(folder, identity, { tokenKey, now });
    say('configuration');
    await writeFile(join(folder, 'identity', 'public.json'), pretty(identity));
    await writeFile(join(folder, 'network.json'), request.descriptor, { mode: 0o600 });
    await mkdir(join(folder, 'logs'), { mode: 0o700 });
    await makeFolders(join(folder, 'run'), 0o700);
    await placeSnapshot(folder, request.snapshot);
    await writeFile(join(folder, 'config.json'), pretty(request.config), { mode: 0o600 });
    return identity;
  } finally {
    passphrase?.fill(0);
    await keys.stop();
  }
}

/** The node removes it once it has taken it: a copy, which costs nothing where the file system shares blocks. */
async function placeSnapshot(folder: string, snapshot: string | undefined): Promise<void> {
  if (snapshot === undefined) return;
  const target = homePaths(folder).rollupSnapshot;
  await mkdir(dirname(target), { mode: 0o700 });
  await copyFile(snapshot, target, constants.COPYFILE_FICLONE);
  await chmod(target, 0o600);
}

/** The one that the configuration will name. */
function keyFileOf({ provider, settings }: Enrolment): string | undefined {
  return provider === 'file' ? String(settings?.path) : undefined;
}

async function writeTls(
  folder: string,
  keys: Keys,
  { nodeId, request }: { nodeId: string; request: HomeRequest },
): Promise<void> {
  const made = await createCertificates({ nodeId, hostName: hostname(), names: request.names, now: request.now() });
  await keys.sealIdentity(IDENTITIES.tlsCa, made.caKey);
  made.caKey.fill(0);
  const tls = join(folder, 'tls');
  await mkdir(tls, { mode: 0o700 });
  await writeFile(join(tls, 'ca.crt'), made.caCertificate);
  await writeFile(join(tls, 'server.crt'), made.serverCertificate);
  await writeFile(join(tls, 'server.key'), made.serverKey, { mode: 0o600 });
}

async function writeClientToken(
  folder: string,
  identity: PublicIdentity,
  { tokenKey, now }: { tokenKey: Uint8Array; now: () => number },
): Promise<void> {
  const tokens = await createTokens(
    { path: join(folder, 'tokens.json'), nodeId: identity.nodeId, publicJwk: identity.tokenJwk },
    { signer: createTokenSigner(tokenKey), now, randomBytes },
  );
  tokenKey.fill(0);
  const { token } = await tokens.issue({
    subject: 'cli',
    name: 'the command line of this machine',
    scope: ['admin'],
    expiresInSeconds: CLIENT_TOKEN_SECONDS,
  });
  await mkdir(join(folder, 'client'), { mode: 0o700 });
  await writeFile(join(folder, 'client', 'token'), `${token}\n`, { mode: 0o600 });
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
