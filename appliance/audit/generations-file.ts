import type { Hash } from '../../protocol/merkle/hash.ts';
import type { Disk } from './disk.ts';
import { fileKeys, openFile, sealFile } from './file-seal.ts';
import type { FoldedGenerations, LoggedToken } from './generations-fold.ts';
import { type FoldedNote, notesByKey } from './logged-notes.ts';

const GENERATIONS_PATH = 'generations';

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
  /** The secret of bodies. */
  readonly bodyKey: Uint8Array;
  readonly origin: string;
  readonly randomBytes: (length: number) => Uint8Array;
}): GenerationsFile {
  const { disk, origin } = of;
  const keys = fileKeys(of.bodyKey, origin, 'nectar/audit-generations/1');
  const associated = Buffer.from(`nectar/audit-generations/1\n${origin}`);

  return {
    async read() {
      const sealed = await disk.read(GENERATIONS_PATH).catch(() => undefined);
      if (sealed === undefined) return undefined;
      const plain = openFile(keys, associated, sealed);
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
      const bytes = sealFile(keys, associated, {
        plain: Buffer.from(JSON.stringify(stored)),
        randomBytes: of.randomBytes,
      });
      await disk.replace([{ path: GENERATIONS_PATH, bytes }]);
    },
  };
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
