import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PeerIdText, RootHash } from '../../protocol/brand.ts';
import { parseCheckpoint, verifyCheckpoint } from '../../protocol/merkle/checkpoint.ts';
import { encodeNote, MAX_NOTE_LENGTH, parseNote } from '../../protocol/merkle/note.ts';
import { SIGNATURE_TYPE, type VerifierKey } from '../../protocol/merkle/verifier-key.ts';
import { witnessKeyOf, witnessOfName } from '../../protocol/merkle/witness-key.ts';
import { replaceFile } from '../durable-file.ts';

/** Our newest checkpoint with the cosignatures that it got. */
export interface CosignedCheckpoint {
  readonly size: number;
  readonly root: RootHash;
  readonly note: string;
  readonly cosignatures: readonly { readonly witness: PeerIdText; readonly timestamp: number }[];
}

/**
 * Verifies a checkpoint of ours with cosignatures of members; those of anybody else do not count. Throws AUDIT_NOTE_INVALID or
 * AUDIT_CHECKPOINT_INVALID.
 */
export async function verifyCosigned(
  note: string,
  publicKey: Uint8Array,
  isMember: (peerId: PeerIdText) => Promise<boolean>,
): Promise<CosignedCheckpoint> {
  const { text, signatures: lines } = parseNote(note);
  const members: PeerIdText[] = [];
  for (const peerId of new Set(lines.flatMap(({ name }) => witnessOfName(name) ?? [])))
    if (await isMember(peerId)) members.push(peerId);
  const key = logKey(parseCheckpoint(text).origin, publicKey);
  const { size, root, signatures } = verifyCheckpoint(note, key, members.map(witnessKeyOf));
  return {
    size,
    root: Buffer.from(root).toString('hex') as RootHash,
    note,
    cosignatures: signatures.flatMap(({ key, timestamp }) => {
      const witness = witnessOfName(key.name);
      return witness === undefined || timestamp === undefined ? [] : [{ witness, timestamp }];
    }),
  };
}

/** The key of a log of ours: a successor of a log has another origin, and the same key. */
export function logKey(origin: string, publicKey: Uint8Array): VerifierKey {
  return { name: origin, type: SIGNATURE_TYPE.ed25519, publicKey };
}

/** A checkpoint's note with lines of witnesses added. */
export function addCosignatures(note: string, lines: readonly string[]): string {
  const { text, signatures } = parseNote(note);
  const added = lines.flatMap((line) => parseNote(`${text}\n${line}`).signatures);
  return encodeNote({ text, signatures: [...signatures, ...added] });
}

/** The file of the newest one; what is in it is verified whenever it is read. */
export interface CosignedFile {
  read(): Promise<string | undefined>;
  write(note: string): Promise<void>;
}

export function createCosignedFile(folder: string): CosignedFile {
  const path = join(folder, 'cosigned');
  return {
    async read() {
      try {
        const text = await readFile(path, 'utf8');
        return text.length > MAX_NOTE_LENGTH ? undefined : text;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(note) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await replaceFile(path, note, 0o600);
    },
  };
}
