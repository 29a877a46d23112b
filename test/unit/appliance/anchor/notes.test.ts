import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createAnchor } from '../../../../appliance/anchor/index.ts';
import { createWorld, depsOf } from './chain-double.ts';

const folders: string[] = [];
after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-anchor-notes-'));
  folders.push(folder);
  return folder;
}

async function open(world: ReturnType<typeof createWorld>, folder: string) {
  const options = { intervalMs: 100, pollMs: 3_600_000, resendAfterMs: 1_000, maxRecords: 10, folder };
  const anchor = createAnchor(options, depsOf(world));
  await anchor.start(new AbortController().signal);
  await anchor.tick();
  return anchor;
}

test('notes of this folder that were altered mark no record under a root that does not cover it', async () => {
  const alterations = {
    'another record in the notes': async (folder: string, progress: { records: { items: { recordId: string }[] } }) => {
      const [item] = progress.records.items;
      if (item !== undefined) item.recordId = '9'.padStart(32, '0');
      await writeFile(join(folder, 'progress.json'), JSON.stringify(progress));
    },
    'another leaf': async (folder: string, progress: { records: { root: string } }) => {
      const path = join(folder, 'batches', `${progress.records.root}.leaves`);
      const leaves = await readFile(path);
      leaves[0] = 1;
      await writeFile(path, leaves);
    },
    'no leaves': async (folder: string, progress: { records: { root: string } }) =>
      rm(join(folder, 'batches', `${progress.records.root}.leaves`)),
  };
  for (const [what, alter] of Object.entries(alterations)) {
    const world = createWorld();
    world.records.add(2);
    const folder = await newFolder();
    const before = await open(world, folder);
    world.chain.mine();
    world.chain.safe = 1n;
    await before.stop();
    await alter(folder, JSON.parse(await readFile(join(folder, 'progress.json'), 'utf8')));
    const anchor = await open(world, folder);
    const covered = [...world.records.marked.keys()];
    assert.equal(covered.includes(`${'9'.padStart(32, '0')}/1`), false, what);
    for (let block = 2n; block <= 4n; block += 1n) {
      world.chain.mine();
      world.chain.safe = block;
      world.clock.now += 2_000;
      await anchor.tick();
    }
    assert.equal(
      world.records.waiting.size,
      0,
      `${what}: the records are anchored all the same, by a batch that covers them`,
    );
    await anchor.stop();
  }
});
