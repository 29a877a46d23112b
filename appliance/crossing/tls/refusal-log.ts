import type { Logger } from '../../telemetry/index.ts';

const WINDOW_MS = 60_000;
/** Addresses that are remembered at a time; a stranger with more of them makes the oldest be forgotten. */
const MAX_ADDRESSES = 256;

/** Warns of what is refused, once an address and minute: who knocks without end fills no disk with lines. */
export interface RefusalLog {
  /** The next line of this address says how many were left out. */
  warn(address: string | undefined, fields: Readonly<Record<string, unknown>>, message: string): void;
}

interface Told {
  readonly at: number;
  leftOut: number;
}

export function createRefusalLog(log: Pick<Logger, 'warn'>, now: () => number): RefusalLog {
  const told = new Map<string, Told>();
  let window = { at: now(), lines: 0 };

  /** However many addresses there are: an IPv6 network alone has enough for a line each. */
  function hasRoom(at: number): boolean {
    if (at - window.at >= WINDOW_MS) window = { at, lines: 0 };
    window.lines += 1;
    return window.lines <= MAX_ADDRESSES;
  }

  return {
    warn(address, fields, message) {
      const key = address ?? '';
      const at = now();
      const before = told.get(key);
      if (before !== undefined && at - before.at < WINDOW_MS) {
        before.leftOut += 1;
        return;
      }
      if (!hasRoom(at)) return;
      told.delete(key);
      if (told.size >= MAX_ADDRESSES) for (const oldest of [...told.keys()].slice(0, 1)) told.delete(oldest);
      told.set(key, { at, leftOut: 0 });
      const leftOut = before?.leftOut ?? 0;
      log.warn({ address, ...fields, ...(leftOut > 0 && { leftOut }) }, message);
    },
  };
}
