import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createLogHouse, ORIGIN, reading } from '../unit/appliance/audit/log-house.ts';
import { GoReader, unless } from './programs.ts';

/** More than two tiles, and an unfinished one. */
const LEAVES = 600;

interface LogRead {
  readonly size: number;
  readonly root: string;
  readonly origin: string;
}

describe("the audit log, read by Go's golang.org/x/mod/sumdb", { skip: unless('go', 'version') }, () => {
  const go = new GoReader();
  before(() => go.build());
  after(() => go.remove());

  test('opens the checkpoint, proves every leaf and that the tree continues older ones', async (t) => {
    const house = await createLogHouse(t);
    const audit = await house.open();
    await Promise.all(Array.from({ length: LEAVES }, (_, i) => audit.append(reading(i))));
    await audit.checkpoint();
    const head = audit.treeHead();
    const found = await go.read<LogRead>('log', house.folder, audit.vkey());
    assert.ok(found.size >= LEAVES);
    assert.deepEqual(found, {
      size: head.size,
      root: Buffer.from(head.root, 'hex').toString('base64'),
      origin: ORIGIN,
    });
  });

  test('and refuses a leaf, a tile or a checkpoint that was altered', async (t) => {
    const house = await createLogHouse(t);
    const audit = await house.open();
    for (let i = 0; i < 300; i++) await audit.append(reading(i));
    await audit.checkpoint();
    for (const name of ['tile/entries/000', 'tile/0/000', 'checkpoint']) {
      const path = join(house.folder, name);
      const original = await readFile(path);
      const altered = Buffer.from(original);
      altered[altered.length - 20] = (altered[altered.length - 20] ?? 0) ^ 1;
      await writeFile(path, altered);
      await assert.rejects(go.read('log', house.folder, audit.vkey()), name);
      await writeFile(path, original);
    }
    await go.read('log', house.folder, audit.vkey());
  });
});
