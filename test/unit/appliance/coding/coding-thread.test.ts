import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createCodingThread, nodeShardCrypto } from '../../../../appliance/coding/index.ts';
import { type Segment, segmentsOf } from '../../../../protocol/coding/segment.ts';
import { STORAGE_CLASSES } from '../../../../protocol/coding/storage-class.ts';
import { bytesOf, keys, segmentCoder } from '../../coding/coding-fixture.ts';

const storageClass = STORAGE_CLASSES.small;
const [segment] = segmentsOf(9000, storageClass) as [Segment];

test('codes, reads and repairs in a thread as it does here', async () => {
  const thread = createCodingThread();
  try {
    const bytes = bytesOf('thread', segment.length);
    const shards = await thread.encode(bytes, { segment, storageClass }, keys);
    assert.deepEqual(shards, segmentCoder.encode(bytes, { segment, storageClass }, keys));
    const of = { segment, storageClass, roots: shards.map(({ root }) => root) };
    const lost = shards.map((shard, index) => (index < 3 ? undefined : shard.bytes));
    assert.deepEqual(await thread.read({ ...of, shards: lost }, keys), { bytes, wrong: [] });
    assert.deepEqual(await thread.repair({ ...of, shards: lost }, [0, 2], keys), [shards[0], shards[2]]);
    const one = shards.map((shard, index) => (index < 4 ? undefined : shard.bytes));
    await assert.rejects(thread.read({ ...of, shards: one }, keys), {
      code: 'CODING_SHARDS_TOO_FEW',
      data: { needed: 2, present: 1 },
    });
  } finally {
    await thread.end();
  }
});

test('rejects what a thread that ends had not done, and begins another for the next call', async () => {
  let starts = 0;
  const dying = (): Worker => {
    starts++;
    return new Worker("require('node:worker_threads').parentPort.once('message', () => process.exit(7))", {
      eval: true,
    });
  };
  const thread = createCodingThread(dying);
  const call = () => thread.encode(new Uint8Array(1), { segment, storageClass }, keys);
  await assert.rejects(call(), { code: 'CODING_THREAD_ENDED', data: { reason: 'exit 7' } });
  await assert.rejects(call(), { code: 'CODING_THREAD_ENDED' });
  assert.equal(starts, 2);
  await thread.end();
});

/** RFC 8439, 2.3.2 has a nonce; A.1 test vector 1 is the key stream of key, nonce and counter zero. */
test('has the key stream of RFC 8439, A.1 vector 1', () => {
  const room = new Uint8Array(64);
  nodeShardCrypto.chacha20(new Uint8Array(32), new Uint8Array(64), room);
  const stream =
    '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586';
  assert.equal(Buffer.from(room).toString('hex'), stream);
});
