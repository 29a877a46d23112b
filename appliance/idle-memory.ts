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
/**
 * A full collection of 75 MiB that live costs a quarter of a second of CPU, over V8's threads. An idle node makes 2 MiB of garbage a
 * second, nearly all of it young, which V8 clears itself for a hundredth of that: collected each 20 s it was half of what the node used.
 */
const REST_MS = 300_000;
/** Of the time since the last look: a thread that was busier has better things to do. */
const IDLE_SHARE = 0.2;

/** Gives a look to be called now and then. */
export function createIdleMemory({ now, cpuMs, heapUsedBytes, collect }: IdleMemoryDeps): () => void {
  let last = { at: now(), cpuMs: cpuMs() };
  let liveBytes = 0;
  let collectedAt = Number.NEGATIVE_INFINITY;
  return () => {
    const next = { at: now(), cpuMs: cpuMs() };
    const isIdle = next.cpuMs - last.cpuMs < (next.at - last.at) * IDLE_SHARE;
    last = next;
    if (!isIdle || next.at - collectedAt < REST_MS || heapUsedBytes() < liveBytes + WORTH_BYTES) return;
    collect();
    collectedAt = next.at;
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
