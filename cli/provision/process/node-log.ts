import { renameSync, rmSync, statSync } from 'node:fs';

const ROTATE_FROM_BYTES = 16 * 1024 * 1024;
const KEPT_LOGS = 3;

/** node.log -> node.log.1 -> .2 -> .3 when it has grown large: at a start, when nobody has it open. */
export function rotateLog(log: string): void {
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) < ROTATE_FROM_BYTES) return;
  rmSync(`${log}.${KEPT_LOGS}`, { force: true });
  for (let number = KEPT_LOGS - 1; number >= 1; number -= 1) {
    if (statSync(`${log}.${number}`, { throwIfNoEntry: false }) !== undefined)
      renameSync(`${log}.${number}`, `${log}.${number + 1}`);
  }
  renameSync(log, `${log}.1`);
}

/** The log and what was rotated out of it, oldest first; those that are there. */
export function logFiles(log: string): string[] {
  const older = Array.from({ length: KEPT_LOGS }, (_, index) => `${log}.${KEPT_LOGS - index}`);
  return [...older, log].filter((path) => statSync(path, { throwIfNoEntry: false }) !== undefined);
}
