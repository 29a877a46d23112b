/**
 * Run by store-full.test.ts on a small volume: an index is to be sealed by another key while the volume has room for so many bytes. Prints
 * what the start with a full volume, and the one after there was room, came to.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, writeSync } from 'node:fs';
import { readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeEnvelopeCrypto as crypto } from '../../appliance/keys/index.ts';
import type { Store } from '../../appliance/store/index.ts';
import { nextIndexSecret } from '../../protocol/envelope/index-secret.ts';
import { context, digestOf, openChildStore, seeded, signal } from './store-child.ts';

const KIB = 1024;
const RECORDS = 200;
/** Such a record lies in the index itself: it has some 10 MiB. */
const RECORD_BYTES = 50_000;

const [home = '', free = '0'] = process.argv.slice(2);
let current: Uint8Array = randomBytes(32);
let pending: Uint8Array | undefined;
const index = {
  current: () => Uint8Array.from(current),
  pending: () => (pending === undefined ? undefined : Uint8Array.from(pending)),
  async settle() {
    current = pending ?? current;
    pending = undefined;
  },
};
const open = (): Promise<Store> => openChildStore(home, 0, { index });

const first = await open();
const ids: Awaited<ReturnType<Store['put']>>['recordId'][] = [];
for (let i = 0; i < RECORDS; i++)
  ids.push(
    (await first.put({ contentType: 'a/b', labels: [] }, seeded(`${i}`, RECORD_BYTES), context, signal)).recordId,
  );
await first.stop();
// LevelDB brings what its log has into a table when it is opened: on a full volume that would be what there is no room for.
await (await open()).stop();
pending = nextIndexSecret(crypto, current, (n) => randomBytes(n));

const ballast = join(home, 'ballast');
await fillUp(Number(free));
const full = await look();
await rm(ballast);
const after = await look();
writeSync(1, JSON.stringify({ records: RECORDS, full, after }));
closeSync(1);

/** Writes until the volume has so little room. */
async function fillUp(left: number): Promise<void> {
  for (;;) {
    const { bavail, bsize } = await statfs(home);
    if (bavail * bsize <= left) return;
    await writeFile(ballast, Buffer.alloc(Math.min(64 * KIB, bavail * bsize - left)), { flag: 'a' });
  }
}

/** A start, and what the records are then; the code of a start that came to nothing. */
async function look(): Promise<object> {
  let store: Store;
  try {
    store = await open();
  } catch (error) {
    if (process.env.DBG) console.error(error);
    return { code: (error as { code?: string }).code ?? String(error), isPending: pending !== undefined };
  }
  let intact = 0;
  for (const [i, id] of ids.entries()) {
    const read = await digestOf((await store.open(id, {}, context, signal)).body);
    intact += read === (await digestOf(seeded(`${i}`, RECORD_BYTES))) ? 1 : 0;
  }
  await store.stop();
  const folders = (await readdir(join(home, 'store'))).filter((name) => name.startsWith('index'));
  return { intact, isPending: pending !== undefined, folders };
}
