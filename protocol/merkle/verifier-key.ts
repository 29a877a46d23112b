import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { NectarError } from '../errors.ts';
import { encodeBase64, parseBase64 } from './base64.ts';

/** Signature types of C2SP signed notes that are understood here: a note's own Ed25519, and a witness's timestamped one. */
export const SIGNATURE_TYPE = { ed25519: 0x01, cosignature: 0x04 } as const;
export type SignatureType = (typeof SIGNATURE_TYPE)[keyof typeof SIGNATURE_TYPE];

/** A public key that signs notes. */
export interface VerifierKey {
  /** Not empty, no Unicode space, no plus: by custom a URL without its scheme. */
  readonly name: string;
  readonly type: SignatureType;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

const MAX_NAME_LENGTH = 256;

/** Whether a text may be a key name (C2SP signed-note). */
export function isKeyName(name: string): boolean {
  return (
    name.length > 0 &&
    name.length <= MAX_NAME_LENGTH &&
    name.isWellFormed() &&
    !/[\s+\u0085]/u.test(name) &&
    !hasControl(name)
  );
}

function hasControl(text: string): boolean {
  return Array.from(text).some((char) => char < ' ');
}

/** Key ID: SHA-256(name | LF | type | public key)[:4] (C2SP signed-note). An identifier, not a commitment. */
export function keyId(key: VerifierKey): Uint8Array {
  return sha256(concatBytes(utf8ToBytes(`${key.name}\n`), Uint8Array.of(key.type), key.publicKey)).slice(0, 4);
}

/** Encodes a key as NAME+HASH+KEY: name, key ID in hex, base64 of type and public key. */
export function encodeVerifierKey(key: VerifierKey): string {
  if (!isKeyName(key.name)) throw new NectarError('AUDIT_VKEY_INVALID', { reason: 'the name is not allowed' });
  return `${key.name}+${bytesToHex(keyId(key))}+${encodeBase64(concatBytes(Uint8Array.of(key.type), key.publicKey))}`;
}

/** Parses NAME+HASH+KEY; throws AUDIT_VKEY_INVALID unless the hash is that of the name and key. */
export function parseVerifierKey(text: string): VerifierKey {
  const refuse = (reason: string): never => {
    throw new NectarError('AUDIT_VKEY_INVALID', { reason });
  };
  const [, name = '', hash = '', material = ''] =
    /^([^+]{1,256})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,64})$/u.exec(text) ?? [];
  if (!isKeyName(name)) refuse('it is not NAME+HASH+KEY');
  const bytes = parseKeyMaterial(material) ?? refuse('the key is not base64');
  const type =
    Object.values(SIGNATURE_TYPE).find((known) => known === bytes[0]) ?? refuse('the signature type is unknown');
  if (bytes.length !== 33) refuse('the public key is not 32 bytes');
  const key: VerifierKey = { name, type, publicKey: bytes.slice(1) };
  if (bytesToHex(keyId(key)) !== hash) refuse('the hash is not that of the name and key');
  return key;
}

function parseKeyMaterial(text: string): Uint8Array | undefined {
  try {
    return parseBase64(text);
  } catch {
    return undefined;
  }
}
