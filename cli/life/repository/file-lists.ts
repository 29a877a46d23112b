import { encodeListLine, type ListedFile, type ListLine, objectName } from '../../../protocol/backup/repository.ts';
import { type RepositorySecret, sealObject } from './sealed-object.ts';
import { spoolObject } from './spooled-object.ts';
import type { Target } from './target.ts';

/** Each run adds one list; from so many on, or when half of their lines are of no use any more, they become one. */
const MAX_LISTS = 32;

/** What is known of the files before a run, and what the run finds. */
export interface FileLists {
  /** The file as it lies in the repository already, if it has not changed. */
  find(file: { readonly path: string; readonly size: number; readonly modifiedAt?: number }): ListedFile | undefined;
  /** It is in this snapshot too. */
  keep(file: ListedFile): void;
  /** It is new, or changed. */
  add(file: ListedFile): void;
  /** Writes what differs from the lists before. */
  write(target: Target, secret: RepositorySecret, spool: string): Promise<WrittenLists>;
}

export interface WrittenLists {
  readonly lists: readonly string[];
  readonly files: number;
  readonly bytes: number;
}

export function createFileLists(before: ReadonlyMap<string, ListedFile>, lists: readonly string[]): FileLists {
  const kept = new Map<string, ListedFile>();
  const added = new Map<string, ListedFile>();

  function* changes(): Generator<ListLine> {
    yield* added.values();
    for (const path of before.keys()) if (!kept.has(path) && !added.has(path)) yield { gone: path };
  }
  function* all(): Generator<ListLine> {
    yield* kept.values();
    yield* added.values();
  }

  return {
    find({ path, size, modifiedAt }) {
      const known = before.get(path);
      return known?.bytes === size && known.modifiedAt === modifiedAt ? known : undefined;
    },
    keep: (file) => void kept.set(file.path, file),
    add: (file) => void added.set(file.path, file),
    async write(target, secret, spool) {
      const files = kept.size + added.size;
      let bytes = 0;
      for (const file of all()) if ('bytes' in file) bytes += file.bytes;
      const same = added.size === 0 && kept.size === before.size;
      if (same && lists.length > 0) return { lists, files, bytes };
      const anew = lists.length >= MAX_LISTS || before.size - kept.size > before.size / 2;
      const list = await spoolObject(sealObject(encoded(anew ? all() : changes()), secret, 'list'), spool);
      try {
        await target.create(objectName(list.sha256), list);
      } finally {
        await list.drop();
      }
      return { lists: anew ? [list.sha256] : [...lists, list.sha256], files, bytes };
    },
  };
}

const GATHERED_LINES = 512;

function* encoded(lines: Iterable<ListLine>): Generator<Uint8Array> {
  let text = '';
  let count = 0;
  for (const line of lines) {
    text += encodeListLine(line);
    count += 1;
    if (count % GATHERED_LINES !== 0) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(text);
}
