import { createHash } from 'node:crypto';
import { HEADER_PATH, isBackupPath, MANIFEST_PATH } from '../../../protocol/backup/entry-path.ts';
import { NectarError } from '../../../protocol/errors.ts';

/** Of each line's hash: enough to say which line differs; that none does is what the whole hash says. */
const MARK_BYTES = 8;
const MAX_LINE_BYTES = 512;

/** Compares the manifest that comes last with the lines made while reading. Eight bytes of memory a line. */
export interface LineCheck {
  add(line: string): void;
  /** Reads the manifest's content; returns the SHA-256 of our own lines. @throws NectarError BACKUP_ALTERED */
  compare(content: AsyncIterable<Uint8Array>): Promise<string>;
}

export function createLineCheck(): LineCheck {
  const own = createHash('sha256');
  let marks = Buffer.alloc(1024 * MARK_BYTES);
  let count = 0;

  const check = (line: string, at: number): void => {
    const mark = marks.subarray(at * MARK_BYTES, (at + 1) * MARK_BYTES);
    if (at >= count || !markOf(line).equals(mark)) throw altered(line);
  };

  return {
    add(line) {
      own.update(line);
      if ((count + 1) * MARK_BYTES > marks.length) marks = Buffer.concat([marks, Buffer.alloc(marks.length)]);
      markOf(line).copy(marks, count * MARK_BYTES);
      count += 1;
    },
    async compare(content) {
      const given = createHash('sha256');
      let rest = '';
      let at = 0;
      for await (const chunk of content) {
        given.update(chunk);
        const lines = (rest + Buffer.from(chunk).toString('latin1')).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) check(`${line}\n`, at++);
        if (rest.length > MAX_LINE_BYTES) throw altered(rest);
      }
      const digest = own.digest('hex');
      if (rest !== '' || at !== count || given.digest('hex') !== digest) throw altered(rest);
      return digest;
    },
  };
}

function markOf(line: string): Buffer {
  return createHash('sha256').update(line, 'latin1').digest().subarray(0, MARK_BYTES);
}

/** The manifest's words may be a stranger's: only a path that a backup may have is repeated. */
function altered(line: string): NectarError {
  const path = line.slice(66).trimEnd();
  const entry = isBackupPath(path) || path === HEADER_PATH ? path : MANIFEST_PATH;
  return new NectarError('BACKUP_ALTERED', { entry });
}
