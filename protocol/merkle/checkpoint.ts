import { NectarError } from '../errors.ts';
import { encodeBase64, parseBase64 } from './base64.ts';
import { keyOfEpoch } from './epoch.ts';
import { HASH_BYTES } from './hash.ts';
import { type Note, parseNote, type VerifiedSignature, verifyNote } from './note.ts';
import type { VerifierKey } from './verifier-key.ts';
import type { TreeHead } from './verify.ts';

/** A tree head as its log states it: the text of a signed note (C2SP tlog-checkpoint). */
export interface Checkpoint extends TreeHead {
  /** The log's identity, one line. */
  readonly origin: string;
}

/** A checkpoint whose note was verified. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: Note;
  readonly signatures: readonly VerifiedSignature[];
}

/** Encodes the text of a checkpoint: origin, size, base64 of the root, a line each. */
export function encodeCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/** Parses the text of a checkpoint; extension lines are allowed and ignored. Throws AUDIT_CHECKPOINT_INVALID. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', sizeText = '', rootText = '', ...rest] = text.split('\n');
  if (origin === '') refuse('it has no origin');
  if (!/^(0|[1-9]\d{0,15})$/.test(sizeText) || !Number.isSafeInteger(Number(sizeText)))
    refuse('the size is not a decimal number');
  const root = parseRoot(rootText);
  if (rest.at(-1) !== '' || rest.slice(0, -1).includes('')) refuse('a line is empty');
  return { origin, size: Number(sizeText), root };
}

/**
 * Parses and verifies a signed checkpoint: the log's own key must have signed it, and the origin must be that of one of the
 * log's epochs (epoch.ts).
 * @param log the log's key; its name is the origin of any of its epochs
 * @param witnesses keys whose cosignatures are verified as well when they are there
 * @returns the checkpoint; throws AUDIT_NOTE_INVALID or AUDIT_CHECKPOINT_INVALID
 */
export function verifyCheckpoint(
  encoded: string,
  log: VerifierKey,
  witnesses: readonly VerifierKey[] = [],
): SignedCheckpoint {
  const note = parseNote(encoded);
  const [origin = ''] = note.text.split('\n', 1);
  const own = keyOfEpoch(log, origin);
  const signatures = verifyNote(note, [own ?? log, ...witnesses]);
  if (!signatures.some(({ key }) => key === (own ?? log))) refuse("the log's own signature is missing");
  const checkpoint = parseCheckpoint(note.text);
  if (own === undefined) refuse('it belongs to another log');
  return { ...checkpoint, note, signatures };
}

function parseRoot(text: string): Uint8Array {
  const root = parseBase64(text);
  if (root.length !== HASH_BYTES) refuse('the root is not 32 bytes');
  return root;
}

function refuse(reason: string): never {
  throw new NectarError('AUDIT_CHECKPOINT_INVALID', { reason });
}
