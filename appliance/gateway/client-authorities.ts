import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import type { Logger } from '../telemetry/index.ts';
import { type ClientAuthority, createClientAuthority } from './client-issuer.ts';
import { fileText, type KeptText, NOTHING } from './kept-text.ts';

const MAX_FILE_BYTES = 256 * 1024;
/** Authorities of the site: the names of all are sent in every handshake. */
const MAX_AUTHORITIES = 16;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----/g;

export interface ClientAuthorityTexts {
  /** Of the node's own authority for clients: its certificate, then its key, PEM. */
  readonly own: KeptText;
  /** What the site added, in one text. */
  readonly site: KeptText;
}

/** Whose certificates the listener takes from clients: the node's own, and those of the site. */
export interface ClientAuthorities {
  /** @throws NectarError NODE_NOT_READY: what gateways share has not been read yet */
  own(): ClientAuthority;
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
  { own: ownText, site: siteText }: ClientAuthorityTexts,
  deps: { readonly log: Logger; readonly now: () => number; readonly onChange: () => Promise<void> },
): Promise<ClientAuthorities> {
  let own: ClientAuthority | undefined;
  let site: readonly X509Certificate[] = [];
  const readAll = async (): Promise<void> => {
    own = await readOrMakeOwn(ownText, deps);
    site = await readSite(siteText, deps);
  };
  if (ownText.shared) {
    const changed = (): Promise<void> => readAll().then(deps.onChange);
    ownText.onChange(changed);
    siteText.onChange(changed);
  } else await readAll();

  return {
    own() {
      if (own === undefined)
        throw new NectarError('NODE_NOT_READY', { service: 'store', reason: 'what gateways share has not been read' });
      return own;
    },
    trusted: () => [...(own === undefined ? [] : [own.certificate]), ...site.map((one) => one.toString())],
    site: () => site,
    isSite: (fingerprint256) => site.some((one) => one.fingerprint256 === fingerprint256),
    async replaceSite(pem) {
      const next = parseAuthorities(pem, deps.now());
      const { version } = siteText.shared ? await siteText.read() : { version: NOTHING };
      await siteText.write(next.map((one) => one.toString()).join(''), version);
      site = next;
      await deps.onChange();
    },
  };
}

/** Its certificate and key, which are two files. */
export function authorityFiles({ certificate, key }: { certificate: string; key: string }): KeptText {
  const [first, second] = [
    fileText(certificate, { maxBytes: MAX_FILE_BYTES, mode: 0o644 }),
    fileText(key, { maxBytes: MAX_FILE_BYTES }),
  ];
  return {
    ...first,
    async read() {
      const parts = [await first.read(), await second.read()];
      const whole = parts.every(({ text }) => text !== undefined);
      return { text: whole ? parts.map(({ text }) => text).join('') : undefined, version: NOTHING };
    },
    async write(text) {
      await mkdir(dirname(key), { recursive: true, mode: 0o700 });
      const { certificate: pem, key: secret } = splitAuthority(text);
      await second.write(secret, NOTHING);
      return first.write(pem, NOTHING);
    },
  };
}

export const siteFile = (path: string): KeptText => fileText(path, { maxBytes: MAX_FILE_BYTES });

function splitAuthority(text: string): ClientAuthority {
  const at = text.search(PRIVATE_KEY);
  if (at < 0) throw new RangeError('no key');
  return { certificate: text.slice(0, at), key: text.slice(at) };
}

async function readOrMakeOwn(
  text: KeptText,
  deps: { readonly log: Logger; readonly now: () => number },
): Promise<ClientAuthority> {
  for (;;) {
    const found = await text.read().catch((error: unknown) => {
      if (text.shared) throw error;
      return { text: undefined, version: NOTHING };
    });
    const own = found.text === undefined ? undefined : parseOwn(found.text, deps.now());
    if (own !== undefined) return own;
    const made = await createClientAuthority(deps.now());
    try {
      await text.write(`${made.certificate}${made.key}`, found.version);
      return made;
    } catch (error) {
      // Another gateway has made one: that is the node's.
      if (isNectarError(error, 'NODE_SHELF_CHANGED')) continue;
      if (text.shared) throw error;
      // One that cannot be kept (a full disk) is good until the next start: clients that it signed for are known by their keys.
      deps.log.warn(
        { err: error },
        'the authority for clients could not be kept: another one is made at the next start',
      );
      return made;
    }
  }
}

function parseOwn(text: string, now: number): ClientAuthority | undefined {
  try {
    const own = splitAuthority(text);
    const parsed = new X509Certificate(own.certificate);
    const holds = parsed.checkPrivateKey(createPrivateKey(own.key)) && parsed.ca && parsed.validToDate.getTime() > now;
    return holds ? own : undefined;
  } catch {
    return undefined;
  }
}

/** One that is damaged lets nobody in, and does not keep the node from starting. */
async function readSite(
  text: KeptText,
  { log, now }: { readonly log: Logger; readonly now: () => number },
): Promise<readonly X509Certificate[]> {
  const found = await text.read().catch((error: unknown) => {
    if (text.shared) throw error;
    return { error };
  });
  try {
    if ('error' in found) throw found.error;
    return found.text === undefined ? [] : parseAuthorities(found.text, now(), { expired: 'left out' });
  } catch (error) {
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
