import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
import { NectarError } from '../../protocol/errors.ts';
import { replaceFile } from '../durable-file.ts';
import type { Logger } from '../telemetry/index.ts';
import { type ClientAuthority, createClientAuthority } from './client-issuer.ts';
import type { RevocationPaths } from './revocation-files.ts';

const MAX_FILE_BYTES = 256 * 1024;
/** Authorities of the site: the names of all are sent in every handshake. */
const MAX_AUTHORITIES = 16;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----/g;

export interface ClientAuthorityPaths {
  /** Of the node's own authority for clients. */
  readonly certificate: string;
  readonly key: string;
  /** What the site added, in one file. */
  readonly site: string;
  /** What the authorities of the site took back. */
  readonly revocations: RevocationPaths;
}

/** Whose certificates the listener takes from clients: the node's own, and those of the site. */
export interface ClientAuthorities {
  readonly own: ClientAuthority;
  /** PEM, of all. */
  trusted(): readonly string[];
  site(): readonly X509Certificate[];
  isSite(fingerprint256: string): boolean;
  /** Durable, and in force for new connections, when it resolves; throws GATEWAY_CLIENT_AUTHORITY_INVALID. */
  replaceSite(pem: string): Promise<void>;
}

/**
 * Opens them; makes the own authority where there is none. Its key is not precious: what it signs opens nothing by itself,
 * because each client that it signed for is listed by its key.
 */
export async function openClientAuthorities(
  paths: ClientAuthorityPaths,
  deps: { readonly log: Logger; readonly now: () => number; readonly onChange: () => Promise<void> },
): Promise<ClientAuthorities> {
  const own = (await readOwn(paths, deps.now())) ?? (await makeOwn(paths, deps));
  let site = await readSite(paths.site, deps);
  return {
    own,
    trusted: () => [own.certificate, ...site.map((one) => one.toString())],
    site: () => site,
    isSite: (fingerprint256) => site.some((one) => one.fingerprint256 === fingerprint256),
    async replaceSite(pem) {
      const next = parseAuthorities(pem, deps.now());
      await replaceFile(paths.site, next.map((one) => one.toString()).join(''), 0o600);
      site = next;
      await deps.onChange();
    },
  };
}

async function readOwn({ certificate, key }: ClientAuthorityPaths, now: number): Promise<ClientAuthority | undefined> {
  try {
    const own = { certificate: await readText(certificate), key: await readText(key) };
    const parsed = new X509Certificate(own.certificate);
    const holds = parsed.checkPrivateKey(createPrivateKey(own.key)) && parsed.ca && parsed.validToDate.getTime() > now;
    return holds ? own : undefined;
  } catch {
    return undefined;
  }
}

/** One that cannot be kept (a full disk) is good until the next start: the clients that it signed for are known by their keys. */
async function makeOwn(
  paths: ClientAuthorityPaths,
  { log, now }: { readonly log: Logger; readonly now: () => number },
): Promise<ClientAuthority> {
  const own = await createClientAuthority(now());
  try {
    await mkdir(dirname(paths.key), { recursive: true, mode: 0o700 });
    await replaceFile(paths.key, own.key, 0o600);
    await replaceFile(paths.certificate, own.certificate, 0o644);
  } catch (error) {
    log.warn({ err: error }, 'the authority for clients could not be kept: another one is made at the next start');
  }
  return own;
}

/** A file that is damaged lets nobody in, and does not keep the node from starting. */
async function readSite(path: string, { log, now }: { log: Logger; now: () => number }): Promise<X509Certificate[]> {
  try {
    return parseAuthorities(await readText(path), now(), { expired: 'left out' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      log.error({ err: error }, 'the certificate authorities of clients are not usable: none of the site is trusted');
    return [];
  }
}

function parseAuthorities(pem: string, now: number, how: { expired: 'refused' | 'left out' } = { expired: 'refused' }) {
  const invalid = (reason: string, cause?: unknown) =>
    new NectarError('GATEWAY_CLIENT_AUTHORITY_INVALID', { reason }, { cause });
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0 && pem.trim() !== '') throw invalid('there is no certificate in PEM');
  if (blocks.length > MAX_AUTHORITIES) throw invalid(`there are more than ${MAX_AUTHORITIES}`);
  let parsed: X509Certificate[];
  try {
    parsed = blocks.map((block) => new X509Certificate(block));
    createSecureContext({ ca: blocks });
  } catch (error) {
    throw invalid('one is damaged', error);
  }
  if (parsed.some(({ ca }) => !ca)) throw invalid('one is the certificate of no authority');
  const current = parsed.filter(({ validToDate }) => validToDate.getTime() > now);
  if (how.expired === 'refused' && current.length < parsed.length) throw invalid('one has expired');
  return current;
}

async function readText(path: string): Promise<string> {
  if ((await stat(path)).size > MAX_FILE_BYTES) throw new RangeError('too large');
  return readFile(path, 'utf8');
}
