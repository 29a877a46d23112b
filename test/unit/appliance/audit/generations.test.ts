import assert from 'node:assert/strict';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createDisk, type Disk } from '../../../../appliance/audit/disk.ts';
import type { Audit } from '../../../../appliance/audit/index.ts';
import { appendMany, createLogHouse, type LogHouse, reading } from './log-house.ts';

const state = (index: number) => ({ ...reading(index), detail: { indexGeneration: index } });

/** A disk that counts the bundles that are read from it. */
function watched(folder: string): { disk: Disk; bundles: () => number } {
  const disk = createDisk(folder);
  let bundles = 0;
  return {
    bundles: () => bundles,
    disk: {
      ...disk,
      read: (path) => {
        if (path.startsWith('bodies/')) bundles += 1;
        return disk.read(path);
      },
    },
  };
}

async function reopened(house: LogHouse): Promise<{ audit: Audit; bundles: number; latest: object }> {
  const { disk, bundles } = watched(house.folder);
  const audit = await house.open({}, { disk });
  const read = bundles();
  const latest = await audit.latest();
  await audit.stop();
  return { audit, bundles: read, latest };
}

test('a start reads the leaves behind the kept fold, and no other', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 1_000);
  await audit.append(state(77));
  await audit.stop();
  const { bundles, latest } = await reopened(house);
  assert.deepEqual(latest, { size: 1_001, index: 77 });
  assert.ok(bundles <= 2, `${bundles} bundles were read`);
});

test('a kept fold that is older, altered, missing or of another log changes nothing but time', async (t) => {
  const house = await createLogHouse(t);
  const path = join(house.folder, 'generations');
  const first = await house.open();
  await appendMany(first, 600);
  await first.append(state(5));
  await first.stop();
  const older = await readFile(path);
  await cp(house.folder, `${house.folder}-copy`, { recursive: true });
  const second = await house.open();
  await appendMany(second, 600);
  await second.append(state(9));
  await second.stop();
  const newest = await readFile(path);
  const expected = { size: 1_202, index: 9 };

  const swap = async (bytes: Buffer | undefined): Promise<number> => {
    if (bytes === undefined) await rm(path);
    else await writeFile(path, bytes);
    const { latest, bundles } = await reopened(house);
    assert.deepEqual(latest, expected);
    return bundles;
  };
  const whole = await swap(undefined);
  assert.ok(whole >= 5, String(whole));
  assert.ok((await swap(older)) < whole);
  for (const at of [0, 12, 40, newest.length - 1]) {
    const bad = Buffer.from(newest);
    bad[at] = (bad[at] ?? 0) ^ 1;
    assert.ok((await swap(bad)) >= whole, `byte ${at}`);
  }
  for (const cut of [Buffer.alloc(0), newest.subarray(0, 20)]) assert.ok((await swap(cut)) >= whole);

  // The log put back to an older copy, and grown again past it: what was kept of the longer one is not believed.
  await rm(house.folder, { recursive: true });
  await cp(`${house.folder}-copy`, house.folder, { recursive: true });
  const forked = await house.open();
  await appendMany(forked, 900, 5_000);
  await forked.stop();
  await writeFile(path, newest);
  assert.deepEqual((await reopened(house)).latest, { size: 1_501, index: 5 });
  await rm(`${house.folder}-copy`, { recursive: true });
});

test('a bundle that cannot be read hides what it says, and nothing else', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await audit.append(state(3));
  await appendMany(audit, 255);
  await audit.append(state(8));
  await appendMany(audit, 300);
  await audit.stop();
  await rm(join(house.folder, 'generations'));
  const path = join(house.folder, 'bodies/000');
  const bytes = await readFile(path);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  await writeFile(path, bytes);
  assert.deepEqual((await reopened(house)).latest, { size: 557, index: 8 });
});

test('what happened after the kept fold and before a crash is read again', async (t) => {
  const house = await createLogHouse(t);
  const crashed = house.create();
  await crashed.start(new AbortController().signal);
  await crashed.append(state(4));
  assert.deepEqual((await reopened(house)).latest, { size: 1, index: 4 });
});
