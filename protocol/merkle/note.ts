import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { NectarError } from '../errors.ts';
import { encodeBase64, parseBase64 } from './base64.ts';
import { cosignedMessage, parseTimestampedSignature } from './cosignature.ts';
import { isKeyName, keyId, SIGNATURE_TYPE, type VerifierKey } from './verifier-key.ts';

/** Bounds before anything is parsed: a note comes from outside. */
export const MAX_NOTE_LENGTH = 65_536;
export const MAX_NOTE_SIGNATURES = 64;

/** One signature line of a note, not yet verified. */
export interface NoteSignature {
  readonly name: string;
  /** Key ID, 4 bytes. */
  readonly keyId: Uint8Array;
  /** What follows the key ID. */
  readonly signature: Uint8Array;
}

/** A signed note, parsed. Its text says nothing until a signature of a trusted key is verified. */
export interface Note {
  /** Ends in a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A signature of a known key that was verified; `timestamp` (POSIX seconds) when it is a witness's cosignature. */
export interface VerifiedSignature {
  readonly key: VerifierKey;
  readonly timestamp?: number;
}

const SIGNATURE_PREFIX = '\u2014 ';

/** Encodes a note with its signatures, in order (C2SP signed-note). */
export function encodeNote(note: Note): string {
  if (!isNoteText(note.text)) refuse('the text is malformed');
  const lines = note.signatures.map(encodeSignatureLine);
  return `${note.text}\n${lines.join('')}`;
}

/** The signature line of `key` over a note's text, from a raw Ed25519 signature (64 bytes) over the text's UTF-8 bytes. */
export function noteSignature(key: VerifierKey, signature: Uint8Array): NoteSignature {
  return { name: key.name, keyId: keyId(key), signature };
}

/** One signature line as text. */
export function encodeSignatureLine({ name, keyId: id, signature }: NoteSignature): string {
  return `${SIGNATURE_PREFIX}${name} ${encodeBase64(concatBytes(id, signature))}\n`;
}

/** Parses a signed note: size, then shape. Throws AUDIT_NOTE_INVALID. Verifies nothing. */
export function parseNote(encoded: string): Note {
  if (encoded.length > MAX_NOTE_LENGTH) refuse('it is too long');
  const split = encoded.lastIndexOf('\n\n');
  if (split < 0 || !encoded.endsWith('\n')) refuse('it has no signature block');
  const text = encoded.slice(0, split + 1);
  if (!isNoteText(text)) refuse('the text is malformed');
  const lines = encoded.slice(split + 2, -1).split('\n');
  if (lines.length > MAX_NOTE_SIGNATURES) refuse('it has too many signatures');
  return { text, signatures: lines.map(parseSignatureLine) };
}

/**
 * Verifies a note against known keys. Lines of unknown keys are ignored, as the specification demands; a line of a known key
 * that does not verify condemns the note. Throws AUDIT_NOTE_INVALID, also when no known key signed.
 * @returns the verified signatures, at least one
 */
export function verifyNote(note: Note, known: readonly VerifierKey[]): VerifiedSignature[] {
  const verified: VerifiedSignature[] = [];
  for (const line of note.signatures) {
    const key = known.find(
      (candidate) => candidate.name === line.name && bytesToHex(keyId(candidate)) === bytesToHex(line.keyId),
    );
    if (key !== undefined) verified.push(verifyLine(note.text, line, key));
  }
  if (verified.length === 0) refuse('no known key signed it');
  return verified;
}

function verifyLine(text: string, line: NoteSignature, key: VerifierKey): VerifiedSignature {
  if (key.type === SIGNATURE_TYPE.cosignature) {
    const { timestamp, signature } = parseTimestampedSignature(line.signature);
    if (!isSignatureOf(signature, cosignedMessage(text, timestamp), key))
      refuse(`the cosignature of ${key.name} does not verify`);
    return { key, timestamp };
  }
  if (!isSignatureOf(line.signature, utf8ToBytes(text), key)) refuse(`the signature of ${key.name} does not verify`);
  return { key };
}

/** RFC 8032 verification; the looser ZIP 215 rules would accept second encodings of a signature. */
function isSignatureOf(signature: Uint8Array, message: Uint8Array, key: VerifierKey): boolean {
  if (signature.length !== 64) return false;
  try {
    return ed25519.verify(signature, message, key.publicKey, { zip215: false });
  } catch {
    return false; // noble throws for points that are not on the curve
  }
}

function parseSignatureLine(line: string): NoteSignature {
  if (!line.startsWith(SIGNATURE_PREFIX)) refuse('a signature line is malformed');
  const [name = '', encoded = '', ...rest] = line.slice(SIGNATURE_PREFIX.length).split(' ');
  const bytes = parseBase64(encoded);
  if (!isKeyName(name) || rest.length > 0 || bytes.length < 5) refuse('a signature line is malformed');
  return { name, keyId: bytes.slice(0, 4), signature: bytes.slice(4) };
}

/** Text of a note: ends in a newline, well-formed Unicode, no ASCII control character but newline. */
function isNoteText(text: string): boolean {
  return text.endsWith('\n') && text.isWellFormed() && !Array.from(text).some((char) => char < ' ' && char !== '\n');
}

function refuse(reason: string): never {
  throw new NectarError('AUDIT_NOTE_INVALID', { reason });
}
