import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../../../cli/client.ts';
import { batchesOf, putBatch, type SmallPut } from '../../../cli/put-batches.ts';
import type { PutSource } from '../../../cli/put-sources.ts';
import { isNectarError } from '../../../protocol/errors.ts';

const CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';

function small(file: string, bytes = 1): PutSource {
  const content = Buffer.alloc(bytes, file);
  return {
    file,
    name: file,
    bytes,
    folders: [],
    contentType: 'text/plain',
    content,
    open: () => assert.fail('it was read'),
  };
}

function put(file: string, labels: readonly string[] = []): SmallPut {
  return { source: small(file), name: file, contentType: 'text/plain', labels, idempotencyKey: `key-${file}` };
}

function large(file: string): PutSource {
  const { content: _, ...source } = small(file);
  return source;
}

async function sizes(sources: readonly PutSource[], together = true): Promise<number[]> {
  const found: number[] = [];
  const each = async function* () {
    for (const source of sources) yield { source };
  };
  for await (const batch of batchesOf(each(), together)) found.push(batch.length);
  return found;
}

test('small files go together, up to 64 of them and 256 KiB', async () => {
  assert.deepEqual(await sizes(Array.from({ length: 130 }, (_, i) => small(`${i}`))), [64, 64, 2]);
  assert.deepEqual(await sizes(Array.from({ length: 9 }, (_, i) => small(`${i}`, 64 * 1024))), [4, 4, 1]);
});

test('a file that is not in memory comes alone, and keeps its place; so does every file that is to go alone', async () => {
  assert.deepEqual(
    await sizes([small('a'), small('b'), large('c'), small('d'), large('e'), large('f')]),
    [2, 1, 1, 1, 1],
  );
  assert.deepEqual(await sizes([small('a'), small('b')], false), [1, 1]);
  assert.deepEqual(await sizes([]), []);
});

function answering(results: unknown): { client: Client; sent: unknown[] } {
  const sent: unknown[] = [];
  const json = async (_schema: unknown, method: string, path: string, body: unknown): Promise<unknown> => {
    sent.push([method, path, body]);
    return { results };
  };
  return { client: { json } as unknown as Client, sent };
}

const receipt = { recordId: 'a'.repeat(32), version: 1, cid: CID, bytes: 1, auditLeaf: 3 };

test('each file of a batch has an outcome of its own: a receipt, or the error of the node', async () => {
  const problem = { status: 507, code: 'NODE_DISK_FULL', detail: 'full', data: { path: '/store' } };
  const { client, sent } = answering([{ receipt }, { problem }]);
  const [first, second] = await putBatch(client, [put('a', ['l']), put('b', ['l'])]);
  assert.deepEqual(first, { receipt, isReplayed: false });
  assert.ok(second !== undefined && 'error' in second && isNectarError(second.error, 'NODE_DISK_FULL'));
  const record = { contentType: 'text/plain', labels: ['l'] };
  const records = [
    { ...record, content: 'YQ==', name: 'a', idempotencyKey: 'key-a' },
    { ...record, content: 'Yg==', name: 'b', idempotencyKey: 'key-b' },
  ];
  assert.deepEqual(sent, [['POST', '/v1/records/batch', { records }]]);
});

test('an answer that leaves a file out is no answer', async () => {
  for (const results of [[{ receipt }], [{ receipt }, {}], [{ receipt }, { receipt }, { receipt }]]) {
    const { client } = answering(results);
    await assert.rejects(putBatch(client, [put('a'), put('b')]), (error) =>
      isNectarError(error, 'CLI_GATEWAY_ANSWER_INVALID'),
    );
  }
});
