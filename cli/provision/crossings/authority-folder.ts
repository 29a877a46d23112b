import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isInstanceName } from '../../../appliance/config/crossings.ts';
import { makeFolder, replaceFile } from '../../../appliance/durable-file.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import { type CrossingAuthority, createCrossingAuthority } from './crossing-authority.ts';

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
const PEM = {
  certificate: /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/,
  key: /-----BEGIN PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END PRIVATE KEY-----/,
};

/** Where the replacement of the authority is: `none` is under way. */
export type Rotation = 'none' | 'announced' | 'moved';

/** The authority of a node's crossings as it lies in `ca/` of a folder, made there when it was not. */
export interface KeptAuthority {
  readonly instance: string;
  readonly rotation: Rotation;
  readonly current: CrossingAuthority;
  readonly isNew: boolean;
  /** PEM of all that roles believe, one after the other. */
  readonly trusted: string;
}

export interface AuthorityRequest {
  readonly folder: string;
  /** `<release>.<namespace>`; of an authority that is there already, its own when undefined. */
  readonly instance?: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** @throws NectarError CLI_CROSSINGS_FOLDER_INVALID, CLI_USAGE, CLI_OUTPUT_UNWRITABLE, NODE_DISK_FULL */
export async function openAuthority(request: AuthorityRequest): Promise<KeptAuthority> {
  const files = filesOf(request.folder);
  const known = await findAuthority(files.authority);
  const instance = instanceOf(request, known);
  const current = known ?? (await newAuthority(instance, request.now));
  if (known === undefined) await keepAuthority(request.folder, current);
  const next = await findAuthority(files.next);
  const previous = await findFile(files.previous);
  const rotation = next !== undefined ? 'announced' : previous !== undefined ? 'moved' : 'none';
  const trusted = [current.certificate, next?.certificate ?? '', previous ?? ''].join('');
  return { instance, rotation, current, isNew: known === undefined, trusted };
}

/**
 * Replaces the authority, a step each time, so that no role ever meets a certificate that it does not believe: the next one is announced
 * (every role believes both), then certificates come from it (both are believed still), then the one before is forgotten. Between steps
 * every role has to have got its files.
 */
export async function advanceAuthority(request: AuthorityRequest): Promise<KeptAuthority> {
  const files = filesOf(request.folder);
  const current = await findAuthority(files.authority);
  if (current === undefined) throw invalidFolder(request.folder, 'it has none: `crossings issue` makes one');
  const instance = instanceOf(request, current);
  const next = await findAuthority(files.next);
  if (next !== undefined) {
    // A crash before the last line has left the next one in both places: the one before is kept already.
    if (next.certificate !== current.certificate) {
      await replaceFile(files.previous, current.certificate, 0o644);
      await writeAuthority(files, files.authority, next);
    }
    await rm(files.next);
  } else if ((await findFile(files.previous)) !== undefined) await rm(files.previous);
  else await writeAuthority(files, files.next, await newAuthority(instance, request.now));
  return openAuthority({ ...request, instance });
}

/** Puts an authority, with its key, into a folder that has none. */
export async function keepAuthority(folder: string, authority: CrossingAuthority): Promise<void> {
  const files = filesOf(folder);
  await writeAuthority(files, files.authority, authority);
}

export async function writing(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (isNectarError(error) || code === undefined) throw error;
    throw new NectarError('CLI_OUTPUT_UNWRITABLE', { path, reason: code }, { cause: error });
  }
}

/** Certificate and key of an authority are one file: a crash leaves the pair of before or the new one. */
interface Files {
  readonly folder: string;
  readonly authority: string;
  readonly next: string;
  readonly previous: string;
}

function filesOf(parent: string): Files {
  const folder = join(parent, 'ca');
  const at = (name: string): string => join(folder, name);
  return { folder, authority: at('authority.pem'), next: at('next.pem'), previous: at('previous.crt') };
}

/** undefined: it is not there. A broken one is not absent: a second authority would be believed by nobody. */
async function findAuthority(path: string): Promise<CrossingAuthority | undefined> {
  const pem = await findFile(path);
  if (pem === undefined) return undefined;
  const [certificate, key] = [PEM.certificate, PEM.key].map((form) => form.exec(pem)?.[0]);
  try {
    if (certificate === undefined || key === undefined) throw new Error('not both');
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) throw new Error('not a pair');
    return { certificate: `${certificate}\n`, key: `${key}\n` };
  } catch (cause) {
    throw invalidFolder(path, 'it does not hold a certificate and its key', cause);
  }
}

async function writeAuthority({ folder }: Files, path: string, { certificate, key }: CrossingAuthority): Promise<void> {
  await writing(path, async () => {
    await makeFolder(folder);
    await replaceFile(path, certificate + key, 0o600);
  });
}

/** Of ten years: what it issues lives for months. */
export function newAuthority(instance: string, now: number): Promise<CrossingAuthority> {
  return createCrossingAuthority(instance, { now, notAfter: now + AUTHORITY_DAYS * DAY_MS });
}

function instanceOf({ folder, instance }: AuthorityRequest, known: CrossingAuthority | undefined): string {
  const certified = known === undefined ? undefined : certifiedInstance(known);
  const named = instance ?? certified;
  if (named === undefined)
    throw new NectarError('CLI_USAGE', { problem: '--instance is needed: <release>.<namespace>' });
  if (!isInstanceName(named))
    throw new NectarError('CLI_USAGE', {
      problem: `${named} is not made of labels of a DNS name, such as nectar.clinic`,
    });
  if (certified !== undefined && certified !== named)
    throw invalidFolder(folder, `its authority is that of ${certified}, not of ${named}`);
  return named;
}

/** The organisation in its subject. */
function certifiedInstance({ certificate }: CrossingAuthority): string | undefined {
  return /^O=(.+)$/m.exec(new X509Certificate(certificate).subject)?.[1];
}

async function findFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw invalidFolder(path, `it cannot be read (${code})`, error);
  }
}

function invalidFolder(folder: string, reason: string, cause?: unknown): NectarError<'CLI_CROSSINGS_FOLDER_INVALID'> {
  return new NectarError('CLI_CROSSINGS_FOLDER_INVALID', { folder, reason }, { cause });
}
