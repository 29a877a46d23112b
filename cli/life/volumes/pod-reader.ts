import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { NectarError } from '../../../protocol/errors.ts';
import { kubectlError } from '../../provision/kubernetes/kubectl.ts';
import { FAILED, NOT_THERE } from '../../provision/kubernetes/volume-programs.ts';
import { createByteSource } from '../backup/byte-source.ts';

const MAX_COMPLAINT_CHARS = 4096;
const MAX_REASON_BYTES = 2048;
/** Zeros that end an archive. */
const END_BYTES = 1024;
/** Much more than what the program in the pod sends at once. */
const MAX_FRAME_BYTES = 1024 * 1024;

/** Reads volumes through the programs that it starts in a pod, one of them for each archive that is open at a time. */
export interface PodReader {
  /** The archive of a file or folder, by its path in the pod; undefined when it is not there. */
  tar(path: string): Promise<AsyncGenerator<Uint8Array> | undefined>;
}

interface Session {
  ask(path: string): void;
  /** The next frame; `length` alone where it says something else than bytes. */
  length(): Promise<number>;
  bytes(length: number): AsyncGenerator<Uint8Array>;
  end(): void;
}

/** `start` begins the program of volume-programs.ts. */
export function createPodReader(start: () => ChildProcessWithoutNullStreams): PodReader {
  const idle: Session[] = [];
  return {
    async tar(path) {
      if (path.includes('\n')) throw new NectarError('BACKUP_SOURCE_UNSTABLE', { what: path });
      const session = idle.pop() ?? openSession(start());
      session.ask(path);
      const first = await session.length();
      if (first === NOT_THERE) {
        idle.push(session);
        return undefined;
      }
      return readArchive(session, { path, first, done: () => idle.push(session) });
    },
  };
}

interface Archive {
  readonly path: string;
  readonly first: number;
  done(): void;
}

/** A reader that stops before the end costs the program in the pod, and nothing else. */
async function* readArchive(session: Session, { path, first, done }: Archive): AsyncGenerator<Uint8Array> {
  let isWhole = false;
  try {
    for (let length = first; length !== 0; length = await session.length()) {
      if (length === FAILED) throw await failureOf(session, path);
      if (length > MAX_FRAME_BYTES) throw new NectarError('BACKUP_SOURCE_UNSTABLE', { what: path });
      yield* session.bytes(length);
    }
    isWhole = true;
    // Before the reader learns of the end: most take no step more.
    done();
    yield Buffer.alloc(END_BYTES);
  } finally {
    if (!isWhole) session.end();
  }
}

async function failureOf(session: Session, path: string): Promise<NectarError> {
  const length = await session.length();
  const parts: Uint8Array[] = [];
  if (length <= MAX_REASON_BYTES) for await (const part of session.bytes(length)) parts.push(Buffer.from(part));
  const cause = new Error(Buffer.concat(parts).toString('utf8'));
  return new NectarError('BACKUP_SOURCE_UNSTABLE', { what: path }, { cause });
}

function openSession(child: ChildProcessWithoutNullStreams): Session {
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < MAX_COMPLAINT_CHARS) stderr += text;
  });
  // A program that is gone is told by its output, which ends.
  child.stdin.on('error', () => undefined);
  child.once('error', () => undefined);
  const ended = (): Error =>
    kubectlError({ code: child.exitCode, stdout: '', stderr }, { doing: 'kubectl exec', context: '' });
  const source = createByteSource(child.stdout as AsyncIterable<Uint8Array>, ended);
  return {
    ask: (path) => void child.stdin.write(`${path}\n`),
    length: async () => Buffer.from(await source.take(4)).readUInt32BE(),
    async *bytes(length) {
      for (let left = length; left > 0; ) {
        const part = await source.some(left);
        left -= part.length;
        yield part;
      }
    },
    end: () => void child.kill('SIGTERM'),
  };
}
