/**
 * Room that a role keeps on its volume for the day when something else has filled it. Without a free byte nothing starts: the kernel's
 * lock, the databases and the leaf that says so write. And nothing private is served, since its audit leaf finds no room. Then the
 * reserve is given up, at a start before anything is written, and while the role runs too; new records stay refused
 * (`store.minFreeBytes`). It is kept again when there is room.
 */
import { randomBytes } from 'node:crypto';
import { open, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { homePaths, type LockedRole } from './config/index.ts';
import { isDiskFull } from './durable-file.ts';
import { makeFolders } from './make-folders.ts';
import type { Logger } from './telemetry/index.ts';

const MIB = 1 << 20;
/**
 * A start writes the tail of each database anew: two buffers of the index are 32 MiB. Less than `store.minFreeBytes` with what is free
 * when it is given up, so that no record takes it.
 */
const RESERVED_BYTES: Readonly<Record<Exclude<LockedRole, 'sequencer'>, number>> = {
  all: 40 * MIB,
  store: 40 * MIB,
  audit: 16 * MIB,
  rollup: 16 * MIB,
  gateway: 4 * MIB,
};
/** With less than this it is given up: at a start, which writes more than a node that runs, and while it runs. */
const LOW_BYTES = { start: 24 * MIB, running: 4 * MIB } as const;
/** It is kept where this much, beside it, stays free. */
const AMPLE_BYTES = 128 * MIB;
const PIECE_BYTES = MIB;
const LOOK_MS = 5_000;
/** A start has other things to write than room. */
const FIRST_KEEP_MS = 60_000;

export interface RoomReserve {
  /** Gives it up where the volume has no room left. */
  giveUp(when: keyof typeof LOW_BYTES): Promise<void>;
  /** Keeps it where it is not, and the volume has room. */
  keep(): Promise<void>;
}

export interface RoomReserveOptions {
  /** Inside the folder of a lock: no backup and no look at a volume takes it for content. */
  readonly path: string;
  readonly bytes: number;
}

/** Free bytes of a folder's volume, for this user; a test tells others. */
type FreeBytes = (folder: string) => Promise<number>;

const askFree: FreeBytes = async (folder) => {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
};

export function createRoomReserve(
  { path, bytes }: RoomReserveOptions,
  { log, freeBytes = askFree }: { readonly log: Logger; readonly freeBytes?: FreeBytes },
): RoomReserve {
  const kept = async (): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0;

  return {
    async giveUp(when) {
      const size = await kept();
      if (size === 0 || (await freeBytes(path)) >= LOW_BYTES[when]) return;
      await rm(path, { force: true });
      log.warn({ bytes: size }, 'the volume is full: the room that was kept for this is given up');
    },
    async keep() {
      if ((await kept()) === bytes) return;
      const folder = dirname(path);
      await makeFolders(folder, 0o700);
      if ((await freeBytes(folder)) < bytes + AMPLE_BYTES) return;
      await write(path, bytes);
      log.info({ bytes }, 'room is kept for a full volume');
    },
  };
}

/** Not synced: what counts is that its blocks are taken. Random, since some file systems take none for zeros. */
async function write(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    for (let done = 0; done < bytes; done += PIECE_BYTES)
      await file.writeFile(randomBytes(Math.min(PIECE_BYTES, bytes - done)));
  } catch (error) {
    await rm(path, { force: true });
    if (!isDiskFull(error)) throw error;
  } finally {
    await file.close();
  }
}

/** The reserve of a role in its home, or on its volume; none of the devnet's other side. */
export function roomReserveOf(home: string, role: LockedRole, log: Logger): RoomReserve | undefined {
  const [lock] = homePaths(home).locks(role);
  if (role === 'sequencer' || lock === undefined) return undefined;
  return createRoomReserve({ path: join(lock, 'reserve'), bytes: RESERVED_BYTES[role] }, { log });
}

/** Looks until it is disposed of. A volume that refuses even this is said elsewhere: by what could not be written. */
export function watchRoom(reserve: RoomReserve, log: Logger): Disposable {
  const since = performance.now();
  let busy = false;
  const look = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      await reserve.giveUp('running');
      if (performance.now() - since >= FIRST_KEEP_MS) await reserve.keep();
    } catch (error) {
      log.debug({ err: error }, 'no room could be kept');
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
