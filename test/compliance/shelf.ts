import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createShelf, MAX_TEXT_BYTES, type Shelf, type ShelfText } from '../../appliance/shelf/index.ts';

/** A shelf, direct or over a crossing, and the folder that it keeps its texts in. */
export interface ShelfHouse {
  readonly shelf: Shelf;
  close(): Promise<void>;
}

export function shelfCompliance(how: string, open: (served: Shelf) => Promise<ShelfHouse>): void {
  describe(`a shelf ${how}`, () => {
    let root: string;
    let folder: string;
    let house: ShelfHouse;
    let shelf: Shelf;

    beforeEach(async () => {
      root = mkdtempSync(join(tmpdir(), 'nectar-shelf-'));
      folder = join(root, 'store', 'gateway');
      house = await open(createShelf({ folder }));
      shelf = house.shelf;
    });
    afterEach(async () => {
      await house.close();
      rmSync(root, { recursive: true, force: true });
    });

    it('says of what is not there that it is not', async () => {
      assert.deepEqual(await shelf.read('tokens'), { version: 'none' } satisfies ShelfText);
      assert.deepEqual(await shelf.versions(), []);
      assert.equal(existsSync(folder), false, 'asking makes nothing');
    });

    it('keeps a text as it is, for its owner alone, and gives it back with its version', async () => {
      const text = '{"ä": "\\u0000", "quote": "\\"", "tag": {"$bytes": "AA=="}}\n';
      const { version } = await shelf.write('tokens', text, 'none');
      assert.deepEqual(await shelf.read('tokens'), { text, version });
      assert.deepEqual(await shelf.versions(), [{ name: 'tokens', version }]);
      assert.equal(readFileSync(join(folder, 'tokens'), 'utf8'), text);
      assert.equal(statSync(join(folder, 'tokens')).mode & 0o077, 0);
    });

    it('takes one of two changes that name the same version', async () => {
      const { version } = await shelf.write('backups', 'one', 'none');
      const outcomes = await Promise.allSettled([
        shelf.write('backups', 'two', version),
        shelf.write('backups', 'three', version),
      ]);
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      const refused = outcomes.find((one) => one.status === 'rejected');
      assert.equal(refused?.reason.code, 'NODE_SHELF_CHANGED');
      assert.match((await shelf.read('backups')).text ?? '', /^(two|three)$/);
    });

    it('refuses a change that names nothing where there is something, and the other way round', async () => {
      const { version } = await shelf.write('hardening', 'one', 'none');
      await assert.rejects(shelf.write('hardening', 'two', 'none'), { code: 'NODE_SHELF_CHANGED' });
      await assert.rejects(shelf.write('tokens', 'two', version), { code: 'NODE_SHELF_CHANGED' });
      assert.equal((await shelf.read('hardening')).text, 'one');
    });

    it('tells when another file was put in place', async () => {
      const { version } = await shelf.write('tokens', 'one', 'none');
      writeFileSync(join(folder, 'tokens'), 'an older copy');
      const [now] = await shelf.versions();
      assert.notEqual(now?.version, version);
      assert.deepEqual(await shelf.read('tokens'), { text: 'an older copy', version: now?.version });
      await assert.rejects(shelf.write('tokens', 'two', version), { code: 'NODE_SHELF_CHANGED' });
    });

    it('keeps a text as large as it may be, and refuses a name that is a path', async () => {
      const text = '"'.repeat(MAX_TEXT_BYTES);
      const { version } = await shelf.write('clients-lists', text, 'none');
      assert.deepEqual(await shelf.read('clients-lists'), { text, version });
      for (const name of ['../tokens', 'a/b', '', 'A', '.nectar']) {
        await assert.rejects(shelf.read(name));
        await assert.rejects(shelf.write(name, 'x', 'none'));
      }
      assert.deepEqual(readdirSync(join(root, 'store')), ['gateway']);
    });
  });
}
