import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Client } from '../../../cli/client.ts';
import { putResumable } from '../../../cli/resumable-put.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';

/** A node that loses the connection after so many bytes of each request, and the answer of the last one. */
function breakingNode(bytesPerRequest: number) {
  const world = { got: Buffer.alloc(0), asked: [] as string[], down: 0, loseLastAnswer: true, length: 0 };
  const state = () => ({
    'upload-offset': String(world.got.length),
    ...(world.got.length === world.length && {
      'x-nectar-record-id': 'ab'.repeat(16),
      'x-nectar-record-version': '1',
      'x-nectar-cid': 'bafk',
      'x-nectar-audit-leaf': '9',
    }),
  });
  const broken = () => new NectarError('CLI_NODE_UNREACHABLE', { gateway: 'g', reason: 'ECONNRESET' });
  const headers: Client['headers'] = async (method, path, { headers: sent = {}, bulk }) => {
    world.asked.push(`${method} ${path}`);
    if (method === 'POST') {
      world.length = Number(sent['upload-length']);
      return { location: '/v1/uploads/x', 'upload-offset': '0' };
    }
    if (world.down > 0) {
      world.down--;
      throw broken();
    }
    if (method === 'HEAD') return state();
    assert.equal(Number(sent['upload-offset']), world.got.length);
    let left = bytesPerRequest;
    for await (const chunk of bulk as AsyncIterable<Buffer>) {
      world.got = Buffer.concat([world.got, chunk.subarray(0, left)]);
      left -= chunk.length;
      if (left <= 0 && world.got.length < world.length) throw broken();
    }
    if (world.loseLastAnswer) {
      world.loseLastAnswer = false;
      throw broken();
    }
    return state();
  };
  return { world, client: { headers } as Client };
}

const sourceOf = (bytes: Buffer) => ({
  file: 'f',
  name: 'f',
  bytes: bytes.length,
  contentType: 'a/b',
  async *open(start = 0) {
    for (let at = start; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000);
  },
});

test('goes on where it was through every break, and takes a lost last answer for no failure', async () => {
  const bytes = randomBytes(10_500);
  const { world, client } = breakingNode(3_000);
  let shown = 0;
  let breaks = 0;
  const waits: number[] = [];
  const receipt = await putResumable(client, {
    source: sourceOf(bytes),
    metadata: { filename: 'f' },
    progress: {
      advance: (count) => {
        shown += count;
      },
      done: () => undefined,
    },
    signal: new AbortController().signal,
    onBroken: () => {
      if (breaks++ % 3 === 0) world.down = 2;
    },
    wait: async (ms) => waits.push(ms),
  });
  assert.deepEqual(receipt, { recordId: 'ab'.repeat(16), version: 1, cid: 'bafk', bytes: 10_500, auditLeaf: 9 });
  assert.deepEqual(world.got, bytes);
  assert.equal(shown, bytes.length, 'progress tells what is there, not what was sent');
  assert.ok(Math.max(...waits) > Math.min(...waits), 'it waits longer each time');
});

test('gives up after ten minutes without a byte more, and at once for what does not pass', async () => {
  for (const [error, minutes] of [
    [new NectarError('CLI_NODE_UNREACHABLE', { gateway: 'g', reason: 'ECONNREFUSED' }), 10],
    [new NectarError('NODE_DISK_FULL', { path: 'store' }), 0],
  ] as const) {
    let clock = 0;
    const headers: Client['headers'] = async (method) => {
      if (method === 'POST') return { location: '/v1/uploads/x', 'upload-offset': '0' };
      throw error;
    };
    const put = putResumable({ headers } as Client, {
      source: sourceOf(randomBytes(10)),
      metadata: {},
      progress: { advance: () => undefined, done: () => undefined },
      signal: new AbortController().signal,
      onBroken: () => undefined,
      now: () => clock,
      wait: async (ms) => {
        clock += ms;
      },
    });
    await assert.rejects(put, (thrown) => isNectarError(thrown, error.code));
    assert.equal(Math.floor(clock / 60_000), minutes);
  }
});
