import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, test } from 'node:test';
import { blobAad } from '../../protocol/envelope/aad.ts';
import { context, createFixture, type Fixture, NODE_ID, signal } from '../unit/appliance/store/store-fixture.ts';
import { GoReader, unless } from './programs.ts';

const MIB = 1024 * 1024;
/** Nothing, one inline block, one block at its limit and one byte more, several, and more leaves than one node has links. */
const SIZES = [0, 1000, MIB - 56, MIB - 55, 3.5 * MIB, 176 * MIB];

interface FileRead {
  readonly bytes: number;
  readonly sha256: string;
}
type CarRead = FileRead & { readonly root: string; readonly blocks: number };

/** Bytes that look random, made from their place, so that no test holds a large record in memory. */
function* content(size: number): Generator<Buffer> {
  for (let at = 0; at < size; at += MIB) {
    const seed = createHmac('sha512', 'interop').update(`${size} ${at}`).digest();
    yield Buffer.alloc(Math.min(MIB, size - at), seed);
  }
}

describe('blobs, read by the IPFS project’s libraries and by Tink', { skip: unless('go', 'version') }, () => {
  const go = new GoReader();
  let fixture: Fixture;
  before(async () => {
    fixture = await createFixture();
    await go.build();
  });
  after(async () => {
    await fixture.close();
    go.remove();
  });

  async function store(size: number) {
    const input = { contentType: 'application/octet-stream', labels: [] };
    const receipt = await fixture.store.put(input, Readable.from(content(size)), context, signal);
    const { recordId } = receipt;
    const car = fixture.store.exportCar(recordId, {}, context);
    await pipeline(Readable.from(car), createWriteStream(go.path('record.car')));
    for (const [part, file] of [
      ['keyset', 'keyset.json'],
      ['blob', 'record.sealed'],
    ] as const) {
      const { body } = await fixture.store.exportTink(recordId, { part }, context, signal);
      await pipeline(Readable.from(body), createWriteStream(go.path(file)));
    }
    return receipt;
  }

  for (const size of SIZES) {
    test(`a record of ${size} bytes: the CAR holds the blob under its CID, and Tink opens it`, async () => {
      const { cid, recordId, version } = await store(size);
      const car = await go.read<CarRead>('car', go.path('record.car'), go.path('blob'));
      assert.equal(car.root, cid);
      const associated = Buffer.from(blobAad({ nodeId: NODE_ID, recordId, version })).toString('hex');
      const open = [go.path('keyset.json'), go.path('blob'), associated, go.path('plain')];
      const plain = await go.read<FileRead>('blob', ...open);
      const hash = createHash('sha256');
      for (const piece of content(size)) hash.update(piece);
      const sha256 = hash.digest('hex');
      assert.deepEqual(plain, { bytes: size, sha256 });
      const exported = [go.path('keyset.json'), go.path('record.sealed'), associated, go.path('plain')];
      assert.deepEqual(await go.read<FileRead>('blob', ...exported), { bytes: size, sha256 });
    });
  }

  test('a block that is not what its CID says, and a blob in another place, are refused by them too', async () => {
    const { recordId, version } = await store(3 * MIB);
    const car = await readFile(go.path('record.car'));
    car[2 * MIB] = (car[2 * MIB] ?? 0) ^ 1;
    await writeFile(go.path('altered.car'), car);
    await assert.rejects(go.read('car', go.path('altered.car'), go.path('blob')));
    await go.read('car', go.path('record.car'), go.path('blob'));
    const elsewhere = Buffer.from(blobAad({ nodeId: NODE_ID, recordId, version: version + 1 })).toString('hex');
    await assert.rejects(go.read('blob', go.path('keyset.json'), go.path('blob'), elsewhere, go.path('plain')));
    const associated = Buffer.from(blobAad({ nodeId: NODE_ID, recordId, version })).toString('hex');
    const sealed = await readFile(go.path('record.sealed'));
    sealed[MIB + 5] = (sealed[MIB + 5] ?? 0) ^ 1;
    await writeFile(go.path('altered.sealed'), sealed);
    const altered = [go.path('keyset.json'), go.path('altered.sealed'), associated, go.path('plain')];
    await assert.rejects(go.read('blob', ...altered));
  });
});
