/**
 * How the keys of a node come onto an empty volume where no command line fills it: adopted from a folder, or made under a root key that
 * is there. keys.json comes last, so that a volume without one holds no node, whatever a crash has left beside it.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { makeFolder, publish, replaceFile, syncFolder } from '../durable-file.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import { readKeyStore } from './key-store-file.ts';
import { createKeys } from './keys.ts';
import { createIdentities, IDENTITIES, type MadeIdentity } from './node-identity.ts';
import { byKeyFile, createRootKey, type RootKeyDeps } from './root-key.ts';

const MAX_FILE_BYTES = 1024 * 1024;
const MODE = 0o600;
const STAGING = '.first-start';
const KEYS = 'keys.json';
const PUBLIC = 'public.json';
const REQUIRED: readonly string[] = [IDENTITIES.p2p, IDENTITIES.operator, IDENTITIES.checkpoint, IDENTITIES.token];
const sealedName = (name: string): string => `${name}.sealed`;

/** Told before each change of the disk: a test ends the work there, as a crash would. */
export type OnStep = (step: string) => void | Promise<void>;

/** A node whose keys lie in a folder to be adopted. */
export interface AdoptableKeys {
  readonly publicText: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export async function holdsKeys(home: string): Promise<boolean> {
  return (await stat(join(home, KEYS)).catch(() => undefined)) !== undefined;
}

/**
 * What is mounted to be adopted; undefined: nothing is. A Secret has no folders: sealed identities lie beside keys.json or in `identity`.
 *
 * @throws NectarError NODE_IDENTITY_INVALID when it is incomplete
 */
export async function findAdoptable(folder: string): Promise<AdoptableKeys | undefined> {
  const invalid = (reason: string, cause?: unknown) =>
    new NectarError('NODE_IDENTITY_INVALID', { path: folder, reason }, { cause });
  const there: string[] = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw invalid('it cannot be read', error);
  });
  if (!there.includes(KEYS)) return undefined;
  const read = async (...names: string[]): Promise<Uint8Array | undefined> => {
    for (const name of names) {
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found === undefined) continue;
      if (!found.isFile() || found.size > MAX_FILE_BYTES) throw invalid(`${name} is too large, or no file`);
      return await readFile(path);
    }
    return undefined;
  };
  const files = new Map<string, Uint8Array>();
  for (const name of Object.values(IDENTITIES)) {
    const sealed = sealedName(name);
    const bytes = await read(sealed, join('identity', sealed));
    if (bytes !== undefined) files.set(join('identity', sealed), bytes);
    else if (REQUIRED.includes(name)) throw invalid(`${sealed} is missing`);
  }
  const publicBytes = await read(PUBLIC, join('identity', PUBLIC));
  if (publicBytes === undefined) throw invalid(`${PUBLIC} is missing`);
  await readKeyStore(folder).catch((error: unknown) => {
    if (isNectarError(error)) throw invalid(error.message, error);
    throw error;
  });
  files.set(PUBLIC, publicBytes);
  files.set(KEYS, (await read(KEYS)) ?? new Uint8Array(0));
  return { publicText: Buffer.from(publicBytes).toString('utf8'), files };
}

/** Takes them over: each file durably, keys.json last. Begun anew when it was interrupted. */
export async function adoptKeys(
  home: string,
  { files }: AdoptableKeys,
  onStep: OnStep = () => undefined,
): Promise<void> {
  await onStep('clear');
  await rm(join(home, STAGING), { recursive: true, force: true });
  await makeFolder(join(home, 'identity'));
  for (const [name, bytes] of files) {
    await onStep(name);
    await replaceFile(join(home, name), bytes, MODE);
  }
}

export interface MakeDeps extends RootKeyDeps {
  readonly log: Logger;
  readonly metrics: () => Metrics;
}

/**
 * Makes keys and identities under the root key in `keyFile`. All of it is made aside first; what was complete when a crash came is put in
 * place at the next start, anything less is made anew: nobody was told of it.
 *
 * @throws NectarError KEY_FILE_MISSING and its kind
 */
export async function makeKeys(
  { home, keyFile, nodeId }: { readonly home: string; readonly keyFile: string; readonly nodeId: string },
  deps: MakeDeps,
  onStep: OnStep = () => undefined,
): Promise<void> {
  const aside = join(home, STAGING);
  if (!(await isComplete(aside))) {
    await onStep('clear');
    await rm(aside, { recursive: true, force: true });
    await makeFolder(aside);
    await fill(aside, { keyFile, nodeId }, deps, onStep);
  }
  await makeFolder(join(home, 'identity'));
  const names = Object.values(IDENTITIES).map((name) => join('identity', sealedName(name)));
  for (const name of [...names, PUBLIC, KEYS]) {
    if ((await stat(join(aside, name)).catch(() => undefined)) === undefined) continue;
    await onStep(`publish ${name}`);
    await publish(join(aside, name), join(home, name));
  }
  await onStep('tidy');
  await rm(aside, { recursive: true, force: true });
  await syncFolder(home);
}

/** keys.json is renamed away last: as long as it is there, so is what has not been put in place yet. */
async function isComplete(aside: string): Promise<boolean> {
  const done = await stat(join(aside, 'complete')).catch(() => undefined);
  return done !== undefined && (await holdsKeys(aside));
}

async function fill(
  aside: string,
  { keyFile, nodeId }: { readonly keyFile: string; readonly nodeId: string },
  deps: MakeDeps,
  onStep: OnStep,
): Promise<void> {
  if ((await stat(keyFile).catch(() => undefined)) === undefined)
    throw new NectarError('KEY_FILE_MISSING', { path: keyFile });
  await onStep('root key');
  await createRootKey({ home: aside, enroll: [byKeyFile(keyFile)], keyFile }, deps);
  const keys = createKeys(
    { home: aside, keyFile, unlockDelayMs: 0, unlockDelayMaxMs: 0 },
    { ...deps, metrics: deps.metrics() },
  );
  await keys.start(new AbortController().signal);
  try {
    await onStep('identities');
    const { identity, tokenKey } = await createIdentities(keys, nodeId);
    tokenKey.fill(0);
    await onStep('public identity');
    await replaceFile(join(aside, PUBLIC), publicText(identity), MODE);
  } finally {
    await keys.stop();
  }
  await onStep('complete');
  await replaceFile(join(aside, 'complete'), '', MODE);
}

function publicText(identity: MadeIdentity): string {
  return `${JSON.stringify(identity, undefined, 2)}\n`;
}
