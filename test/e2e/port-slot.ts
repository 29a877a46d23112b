import { randomInt } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FIRST_OFFSET = 1_000;
/** So far apart that no port of one place, with the 64 that are tried after it, is one of another; all below the system's own. */
const STEP = 1_500;
const SLOTS = 11;

const ours = new Set<string>();
process.on('exit', () => {
  for (const path of ours) rmSync(path, { force: true });
});

/**
 * An offset for ports that no other test process has while this one lives: a node that is down must find its ports again. Where all are
 * in use, one of them by chance.
 */
export function claimPortOffset(): number {
  const first = randomInt(0, SLOTS);
  for (let tried = 0; tried < SLOTS; tried += 1) {
    const slot = (first + tried) % SLOTS;
    if (claim(join(tmpdir(), `nectar-e2e-ports-${slot}`))) return FIRST_OFFSET + slot * STEP;
  }
  return FIRST_OFFSET + first * STEP;
}

function claim(path: string): boolean {
  if (isHeld(path)) return false;
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
  } catch {
    return false;
  }
  ours.add(path);
  return true;
}

/** What a dead process left is taken away. */
function isHeld(path: string): boolean {
  try {
    process.kill(Number(readFileSync(path, 'utf8')), 0);
    return true;
  } catch {
    rmSync(path, { force: true });
    return false;
  }
}
