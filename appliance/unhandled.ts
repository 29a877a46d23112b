/**
 * What nobody handled, in the process of a role. A disk that takes nothing is a state that services name and that passes: one of their
 * writes that nobody waits for must not end what still reads. Anything else is a bug, and the role ends with its name on it: a process
 * in an unknown state must not go on writing.
 */
import { writeSync } from 'node:fs';
import { NectarError } from '../protocol/errors.ts';
import { isDiskFull } from './durable-file.ts';
import { EXIT } from './exit-code.ts';
import type { Logger } from './telemetry/index.ts';

/** A volume that was mounted read-only, a device that fails. */
const DISK_FAILURES = new Set(['EROFS', 'EIO', 'ENXIO', 'ESTALE']);
const STDERR = 2;

/** Whether a disk refused this, now, and may take it later. */
export function isDiskRefusal(error: unknown): boolean {
  if (isDiskFull(error)) return true;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof NectarError && cause.code === 'NODE_DISK_FULL') return true;
    if (DISK_FAILURES.has((cause as NodeJS.ErrnoException).code ?? '')) return true;
  }
  return false;
}

export interface UnhandledDeps {
  readonly role: string;
  readonly log: Pick<Logger, 'error'>;
  /** Ends the process. */
  readonly end: (code: number) => void;
}

/** Names an error that nobody handled, and ends the role unless a disk is the reason. */
export function nameUnhandled({ role, log, end }: UnhandledDeps, error: unknown): void {
  if (isDiskRefusal(error)) {
    log.error({ role, err: error }, 'the disk refused a background write');
    return;
  }
  log.error({ role, err: error }, 'unhandled error: the role ends');
  const message = `${role} ended by a bug: ${error instanceof Error ? error.message : String(error)}`;
  say(`${JSON.stringify({ error: { code: 'NODE_INTERNAL', message, data: {} } })}\n`);
  end(EXIT.bug);
}

/** Has this process name what nobody handles. Once by each process. */
export function watchUnhandled(role: string, log: Pick<Logger, 'error'>): void {
  const deps = { role, log, end: (code: number) => process.exit(code) };
  process.on('uncaughtException', (error) => nameUnhandled(deps, error));
  process.on('unhandledRejection', (error) => nameUnhandled(deps, error));
  // Warnings of the runtime go there: a log on a full disk ends nothing.
  process.stderr.on('error', () => undefined);
}

function say(text: string): void {
  try {
    writeSync(STDERR, text);
  } catch {
    // The log had it, or nothing takes it.
  }
}
