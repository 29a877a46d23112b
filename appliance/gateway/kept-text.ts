import { readFile, stat } from 'node:fs/promises';
import { replaceFile } from '../durable-file.ts';

/** The version of what is not there. */
export const NOTHING = 'none';

/** A small text that lasts, with the version that a change of it names. */
export interface ReadText {
  readonly text: string | undefined;
  readonly version: string;
}

/**
 * Where a small text of the gateway lies: in a file of its own, which it alone writes, or with the store, where every gateway of the node
 * reads and writes it. What a gateway has in memory of a shared one is a copy.
 */
export interface KeptText {
  readonly shared: boolean;
  /** For messages. */
  readonly path: string;
  /** Throws for what cannot be read, or is too large. */
  read(): Promise<ReadText>;
  /**
   * Durable when it resolves, with the new version. A shared one is written only in place of the version `after`.
   *
   * @throws NectarError NODE_SHELF_CHANGED
   */
  write(text: string, after: string): Promise<string>;
  /** Changes when somebody puts another text in place. */
  stamp(): Promise<string>;
  /**
   * Of a shared one: resolves when the copies in memory are those of at most half a second ago. A file needs none.
   *
   * @throws NectarError NODE_NOT_READY
   */
  confirm(): Promise<void>;
  /** Of a shared one: called when another gateway has changed it, before `confirm` resolves. */
  onChange(listener: () => Promise<void>): void;
}

/** A file that this process alone writes. */
export function fileText(path: string, { maxBytes, mode = 0o600 }: { maxBytes: number; mode?: number }): KeptText {
  return {
    shared: false,
    path,
    async read() {
      try {
        if ((await stat(path)).size > maxBytes) throw new RangeError('it is too large');
        return { text: await readFile(path, 'utf8'), version: NOTHING };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { text: undefined, version: NOTHING };
        throw error;
      }
    },
    async write(text) {
      await replaceFile(path, text, mode);
      return NOTHING;
    },
    async stamp() {
      const found = await stat(path, { bigint: true }).catch(() => undefined);
      return found === undefined ? NOTHING : `${found.ino}/${found.size}/${found.mtimeNs}/${found.ctimeNs}`;
    },
    confirm: () => Promise.resolve(),
    onChange: () => undefined,
  };
}
