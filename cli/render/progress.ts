import { isWholePages } from '../../appliance/page-memory.ts';
import { passedBytes } from '../../appliance/stream-memory.ts';
import type { Terminal } from '../terminal.ts';
import { formatBytes } from './quantities.ts';

/** Work of less bytes is over before a bar would be read. */
const SHOWN_FROM_BYTES = 4 * 1024 * 1024;

export interface ByteProgress {
  advance(bytes: number): void;
  done(): void;
}

const silent: ByteProgress = { advance() {}, done() {} };

/** A bar with bytes, rate and time to go, on stderr of a terminal; nothing elsewhere, with --json, or for little work. */
export async function showByteProgress(
  terminal: Terminal,
  label: string,
  total: number | undefined,
  json: boolean,
): Promise<ByteProgress> {
  if (json || terminal.stderr.isTTY !== true || (total !== undefined && total < SHOWN_FROM_BYTES)) return silent;
  const begun = terminal.now();
  // Scripts see no bar, and would load what draws it at each of their calls.
  const { SingleBar } = await import('cli-progress');
  let bytes = 0;
  const known = total !== undefined;
  const bar = new SingleBar({
    stream: terminal.stderr,
    format: known
      ? '{label} [{bar}] {percentage}%  {done} of {all}  {rate}/s  {eta_formatted} to go'
      : '{label}  {done}  {rate}/s',
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 50,
  });
  const payload = () => ({
    label,
    done: formatBytes(bytes),
    all: formatBytes(total ?? 0),
    rate: formatBytes((bytes * 1000) / Math.max(1, terminal.now() - begun)),
  });
  bar.start(total ?? Number.MAX_SAFE_INTEGER, 0, payload());
  return {
    advance(more) {
      bytes += more;
      bar.update(bytes, payload());
    },
    done: () => bar.stop(),
  };
}

/** Lets the bytes of a stream through and counts them. */
export async function* countBytes(
  source: AsyncIterable<Uint8Array>,
  progress: ByteProgress,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    progress.advance(chunk.length);
    // A piece goes back to its pool; anything else becomes garbage.
    if (!isWholePages(chunk)) passedBytes(chunk.length);
    yield chunk;
  }
}
