/**
 * A node that starts leaves twice its live heap in garbage, and V8 keeps all of it for as long as there is room: a node that has
 * nothing to do held 400 MiB of which 250 were in use. Whenever this thread is idle it collects once what has piled up.
 */
import { collectGarbage } from './collect-garbage.ts';

export interface IdleMemoryDeps {
  /** Milliseconds, and CPU that this thread has used. */
  readonly now: () => number;
  readonly cpuMs: () => number;
  readonly heapUsedBytes: () => number;
  /** Stops this thread for some tens of milliseconds. */
  readonly collect: () => void;
}

const LOOK_MS = 20_000;
/** Less than this is not worth a stop. */
const WORTH_BYTES = 32 << 20;
/** Of the time since the last look: a thread that was busier has better things to do. */
const IDLE_SHARE = 0.2;

/** Gives a look to be called now and then. */
export function createIdleMemory({ now, cpuMs, heapUsedBytes, collect }: IdleMemoryDeps): () => void {
  let last = { at: now(), cpuMs: cpuMs() };
  let liveBytes = 0;
  return () => {
    const next = { at: now(), cpuMs: cpuMs() };
    const isIdle = next.cpuMs - last.cpuMs < (next.at - last.at) * IDLE_SHARE;
    last = next;
    if (!isIdle || heapUsedBytes() < liveBytes + WORTH_BYTES) return;
    collect();
    liveBytes = heapUsedBytes();
  };
}

/** Looks until it is disposed of. The process does not live for it. */
export function startIdleMemory(): Disposable {
  const look = createIdleMemory({
    now: () => performance.now(),
    cpuMs() {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1000;
    },
    heapUsedBytes: () => process.memoryUsage().heapUsed,
    collect: () => collectGarbage('major'),
  });
  const timer = setInterval(look, LOOK_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
