import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { nodeEnvelopeCrypto as crypto } from '../../../../appliance/node-envelope-crypto.ts';
import { openIndexDb } from '../../../../appliance/store/index-db.ts';
import { isNectarError } from '../../../../protocol/errors.ts';

const refused = (error: unknown): boolean => isNectarError(error, 'STORE_INDEX_UNUSABLE');
const put = (name: string) => ({ type: 'put', key: Buffer.from(name), value: Buffer.from(name) }) as const;

test('an index that the disk refused is read and written again when the disk takes it, without a restart', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'index-disk-'));
  t.after(() => rm(parent, { recursive: true, force: true }));
  const folder = join(parent, 'index');
  const db = await openIndexDb({
    ...{ folder, valueKey: randomBytes(32), crypto, randomBytes, statsKey: Buffer.from('stats') },
    // None: a write of this thread is one that the test can have fail.
    startThread: () => {
      throw new Error('no thread');
    },
  });
  t.after(() => db.close());
  await db.commit([put('before')]);

  const failing = mock.method(ClassicLevel.prototype, 'batch', async () => {
    const message = `IO error: ${folder}/000003.log: Operation not permitted`;
    throw Object.assign(new Error(message), { code: 'LEVEL_IO_ERROR' });
  });
  await assert.rejects(
    db.commit([put('lost')]),
    (error) => refused(error) && /index of the store: Operation not/.test(String(error)),
  );
  failing.mock.restore();

  // It is opened anew for the next write, and that fails too: then it is closed.
  await rename(folder, `${folder}.away`);
  await writeFile(folder, '');
  await assert.rejects(db.commit([put('lost')]));
  await assert.rejects(db.get(Buffer.from('before')));
  await rm(folder);
  await rename(`${folder}.away`, folder);

  assert.equal(String(await db.get(Buffer.from('before'))), 'before', 'a reader needs no write before it');
  await db.commit([put('after')]);
  assert.equal(String(await db.get(Buffer.from('after'))), 'after');
  assert.equal(await db.get(Buffer.from('lost')), undefined);
});
