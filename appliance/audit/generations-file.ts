import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { Hash } from '../../protocol/merkle/hash.ts';
import type { Disk } from './disk.ts';
import type { FoldedGenerations, LoggedToken } from './generations-fold.ts';
import { type FoldedNote, notesByKey } from './logged-notes.ts';

const GENERATIONS_PATH = 'generations';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A fold with the root of the tree whose leaves it covers. */
export interface KeptGenerations {
  readonly folded: FoldedGenerations;
  readonly root: Hash;
}

/** The fold on disk: nonce | ciphertext of JSON | tag, under a key of its own; it names subjects, as bodies do. */
export interface GenerationsFile {
  /** undefined when there is none that opens. */
  read(): Promise<KeptGenerations | undefined>;
  write(kept: KeptGenerations): Promise<void>;
}

/** Raised when the fold keeps what it left out before: then the leaves are read again. 2: waivers. */
const FOLD_VERSION = 2;

interface Stored {
  readonly v: typeof FOLD_VERSION;
  readonly size: number;
  readonly root: string;
  readonly files: FoldedGenerations['files'];
  readonly tokens: readonly LoggedToken[];
  readonly notes: readonly FoldedNote[];
  readonly erased: number;
}

export function createGenerationsFile(of: {
  readonly disk: Pick<Disk, 'read' | 'replace'>;
  /** The audit-body key. */
  readonly bodyKey: Uint8Array;
  readonly origin: string;
  readonly randomBytes: (length: number) => Uint8Array;
}): GenerationsFile {
  const { disk, origin } = of;
  const key = new Uint8Array(hkdfSync('sha256', of.bodyKey, origin, 'nectar/audit-generations/1', 32));
  const associated = Buffer.from(`nectar/audit-generations/1\n${origin}`);

  return {
    async read() {
      const sealed = await disk.read(GENERATIONS_PATH).catch(() => undefined);
      if (sealed === undefined || sealed.length <= NONCE_BYTES + TAG_BYTES) return undefined;
      const plain = open(key, associated, sealed);
      return plain === undefined ? undefined : decode(plain);
    },
    async write({ folded, root }) {
      const { size, files, tokens, notes, erased } = folded;
      const stored: Stored = {
        v: FOLD_VERSION,
        size,
        root: Buffer.from(root).toString('hex'),
        files,
        tokens: [...tokens.values()],
        notes: [...notes.values()],
        erased,
      };
      const nonce = of.randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associated);
      const bytes = Buffer.concat([nonce, cipher.update(JSON.stringify(stored)), cipher.final(), cipher.getAuthTag()]);
      await disk.replace([{ path: GENERATIONS_PATH, bytes }]);
    },
  };
}

function open(key: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Buffer | undefined {
  const tagAt = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES)).setAAD(associated);
  decipher.setAuthTag(sealed.subarray(tagAt));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, tagAt)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** Sealed by us: trusted, but for its version. */
function decode(plain: Buffer): KeptGenerations | undefined {
  const stored = JSON.parse(plain.toString('utf8')) as Stored;
  if (stored.v !== FOLD_VERSION) return undefined;
  const { size, files, root, erased } = stored;
  const tokens = new Map(stored.tokens.map((token) => [token.id, token]));
  const notes = notesByKey(stored.notes);
  return { folded: { size, files, tokens, notes, erased }, root: Buffer.from(root, 'hex') };
}
