import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateKey } from 'openpgp';
import { envelopeKeyOf } from '../../cli/release/release-keys.ts';

/** Names in the folder of the keys: the two secrets, and the one file that is published. */
export const KEY_FILES = {
  ed25519: 'release-key.pem',
  openpgp: 'release-key.asc',
  published: 'release-key.pub',
} as const;

export interface MadeKeys {
  /** SHA-256 of the Ed25519 key's SPKI, hex. */
  readonly keyid: string;
  /** Of the OpenPGP key, hex, upper case. */
  readonly fingerprint: string;
}

/** Makes the two keys of releases; both secrets are encrypted by the passphrase, when there is one. Replaces nothing. */
export async function makeReleaseKeys(folder: string, passphrase: string | undefined): Promise<MadeKeys> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const secret = privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    ...(passphrase !== undefined && { cipher: 'aes-256-cbc', passphrase }),
  });
  // Version 4 of OpenPGP, and its usual derivation from a passphrase: every gpg reads and imports it.
  const openpgp = await generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: 'Nectar BYON releases' }],
    subkeys: [],
    format: 'object',
    ...(passphrase !== undefined && { passphrase }),
  });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string, mode: number): void =>
    writeFileSync(join(folder, name), text, { flag: 'wx', mode });
  write(KEY_FILES.ed25519, secret.toString(), 0o600);
  write(KEY_FILES.openpgp, openpgp.privateKey.armor(), 0o600);
  write(KEY_FILES.published, `${pem}${openpgp.publicKey.armor()}`, 0o644);
  return { keyid: envelopeKeyOf(pem).keyid, fingerprint: openpgp.publicKey.getFingerprint().toUpperCase() };
}
