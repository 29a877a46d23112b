import { createHash, createPublicKey } from 'node:crypto';
import { resolve } from 'node:path';
import type { Key } from 'openpgp';
import { NectarError } from '../../protocol/errors.ts';
import type { EnvelopeKey } from '../../protocol/release/dsse.ts';
import { parseKeys } from '../harden/report-key.ts';
import { readSmallFile } from '../life/backup/small-files.ts';
import type { Terminal } from '../terminal.ts';
import { PUBLISHED_KEYS } from './published-keys.ts';
import type { ReleaseKeyOptions } from './release-key-options.ts';

const MAX_KEY_FILE_BYTES = 64 * 1024;
const MAX_KEYS = 8;
const ED25519_BLOCK = /-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----/g;
const OPENPGP_BLOCK = /-----BEGIN PGP PUBLIC KEY BLOCK-----[\s\S]+?-----END PGP PUBLIC KEY BLOCK-----/g;

/** Whose releases are taken. */
export interface ReleaseKeys {
  /** One of them has to have signed the statement. */
  readonly ed25519: readonly EnvelopeKey[];
  /** Where there are any, one of them has to have signed the list of digests too. */
  readonly openpgp: readonly Key[];
}

/** Undefined: unsigned, because he said so. @throws NectarError RELEASE_KEY_INVALID */
export async function chooseReleaseKeys(
  { releaseKey, unsigned }: ReleaseKeyOptions,
  { workingFolder }: Terminal,
): Promise<ReleaseKeys | undefined> {
  if (unsigned === true) return undefined;
  if (releaseKey !== undefined) return readReleaseKeys(resolve(workingFolder, releaseKey));
  const published = await Promise.all(PUBLISHED_KEYS.map((text) => parseReleaseKeys(text, 'the program')));
  return {
    ed25519: published.flatMap(({ ed25519 }) => ed25519),
    openpgp: published.flatMap(({ openpgp }) => openpgp),
  };
}

/** The public keys in a file. @throws NectarError RELEASE_KEY_INVALID */
export async function readReleaseKeys(path: string): Promise<ReleaseKeys> {
  const bytes = await readSmallFile(path);
  if (bytes === undefined) throw new NectarError('RELEASE_KEY_INVALID', { path, reason: 'there is no such file' });
  if (bytes.length > MAX_KEY_FILE_BYTES)
    throw new NectarError('RELEASE_KEY_INVALID', { path, reason: `longer than ${MAX_KEY_FILE_BYTES} bytes` });
  return parseReleaseKeys(Buffer.from(bytes).toString('latin1'), path);
}

/** A key file is text: a PEM block of an Ed25519 key and, below it, an armoured OpenPGP key. */
async function parseReleaseKeys(text: string, path: string): Promise<ReleaseKeys> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new NectarError('RELEASE_KEY_INVALID', { path, reason }, { cause });
  };
  if (text.includes('PRIVATE KEY')) return refuse('it holds a private key');
  const ed25519 = (text.match(ED25519_BLOCK) ?? []).map((block) => {
    try {
      return envelopeKeyOf(block);
    } catch (error) {
      return refuse('not an Ed25519 key', error);
    }
  });
  if (ed25519.length === 0) return refuse('it has no Ed25519 key (BEGIN PUBLIC KEY)');
  const blocks = text.match(OPENPGP_BLOCK) ?? [];
  const openpgp = await Promise.all(blocks.map((block) => parseKeys(block))).catch((error: unknown) =>
    refuse('its OpenPGP key is damaged', error),
  );
  if (ed25519.length + blocks.length > MAX_KEYS) return refuse(`more than ${MAX_KEYS} keys`);
  return { ed25519, openpgp: await keysInForce(openpgp.flat(), () => refuse('its OpenPGP key is revoked')) };
}

/** Without those that their owner has revoked, for whatever reason. With none left the second signature would not be asked for. */
async function keysInForce(keys: readonly Key[], refuse: () => never): Promise<Key[]> {
  const inForce: Key[] = [];
  for (const key of keys) if (!(await key.isRevoked())) inForce.push(key);
  return keys.length > 0 && inForce.length === 0 ? refuse() : inForce;
}

/** An Ed25519 key by its PEM (SPKI); its name is the SHA-256 of its DER. */
export function envelopeKeyOf(pem: string): EnvelopeKey {
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`a key of the kind ${key.asymmetricKeyType}`);
  const keyid = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
  return { keyid, bytes: Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url') };
}
