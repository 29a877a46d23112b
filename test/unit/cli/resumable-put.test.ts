import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Client } from '../../../cli/client.ts';
import { putResumable } from '../../../cli/resumable-put.ts';
import { openUnfinished, type UnfinishedUpload } from '../../../cli/unfinished-uploads.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';

const LOCATION = `/v1/uploads/${'cd'.repeat(16)}`;
const home = mkdtempSync(join(tmpdir(), 'nectar-uploads-'));
after(() => rmSync(home, { recursive: true, force: true }));

/** A node that loses the connection after so many bytes of each request, and the answer of the last one. */
function breakingNode(bytesPerRequest: number) {
  const world = {
    got: Buffer.alloc(0),
    asked: [] as string[],
    down: 0,
    loseLastAnswer: true,
    length: 0,
    forgotten: false,
  };
  const state = () => ({
    'upload-offset': String(world.got.length),
    'upload-length': String(world.length),
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
      return { location: LOCATION, 'upload-offset': '0' };
    }
    if (world.down > 0) {
      world.down--;
      throw broken();
    }
    if (method === 'HEAD') {
      if (world.forgotten) throw new NectarError('CLI_GATEWAY_PROBLEM', { status: 404, code: 'x', detail: 'gone' });
      return state();
    }
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
  folders: [],
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

const quiet = { progress: { advance: () => undefined, done: () => undefined }, onBroken: () => undefined };

/** A run of the command: one that is killed gets no further than its first request. */
async function runOf(
  world: ReturnType<typeof breakingNode>,
  bytes: Buffer,
  { killed = false, facts = ['file', 1] as unknown[] } = {},
): Promise<{ receipt: unknown; resumedAt: number | undefined }> {
  const unfinished = await openUnfinished(home, facts, Date.now());
  let resumedAt: number | undefined;
  try {
    const receipt = await putResumable(world.client, {
      ...quiet,
      source: sourceOf(bytes),
      metadata: {},
      unfinished,
      signal: new AbortController().signal,
      onResumed: (offset) => {
        resumedAt = offset;
      },
      wait: async () => {
        if (killed) throw new Error('killed');
      },
    });
    return { receipt, resumedAt };
  } catch (error) {
    assert.ok(killed, String(error));
    return { receipt: undefined, resumedAt };
  } finally {
    await unfinished?.release();
  }
}

test('a run that is killed is gone on with by the next of the same put, and a put after that is a new one', async () => {
  const bytes = randomBytes(10_000);
  const node = breakingNode(3_000);
  await runOf(node, bytes, { killed: true });
  assert.deepEqual((await runOf(node, bytes, { killed: true })).resumedAt, 3_000);
  const { receipt, resumedAt } = await runOf(node, bytes);
  assert.deepEqual([resumedAt, (receipt as { bytes: number }).bytes], [6_000, 10_000]);
  assert.deepEqual(node.world.got, bytes);
  assert.equal(node.world.asked.filter((asked) => asked.startsWith('POST')).length, 1);
  node.world.got = Buffer.alloc(0);
  assert.equal((await runOf(node, bytes)).resumedAt, undefined);
});

test('a run that is killed before it heard of its record is told of that record, not of a second one', async () => {
  const bytes = randomBytes(2_000);
  const node = breakingNode(3_000);
  await runOf(node, bytes, { killed: true });
  assert.deepEqual(node.world.got, bytes);
  const { receipt } = await runOf(node, bytes);
  assert.equal((receipt as { recordId: string }).recordId, 'ab'.repeat(16));
  assert.equal(node.world.asked.filter((asked) => asked.startsWith('PATCH')).length, 1);
});

test('an upload that the node no longer has, or of another file or record, is begun anew', async () => {
  const bytes = randomBytes(4_000);
  const node = breakingNode(3_000);
  await runOf(node, bytes, { killed: true });
  node.world.got = Buffer.alloc(0);
  assert.equal((await runOf(node, bytes, { killed: true, facts: ['file', 2] })).resumedAt, undefined);
  node.world.forgotten = true;
  node.world.got = Buffer.alloc(0);
  assert.equal((await runOf(node, bytes, { killed: true })).resumedAt, undefined);
});

test('notes name no file, are private, bounded in age, and a damaged one is none', async () => {
  const folder = mkdtempSync(join(home, 'notes-'));
  const open = (now: number): Promise<UnfinishedUpload | undefined> => openUnfinished(folder, ['secret.dcm'], now);
  const first = await open(Date.now());
  await first?.begun(LOCATION);
  assert.equal(await open(Date.now()), undefined, 'one put of a file at a time has the note');
  await first?.release();
  const notes = () => readdirSync(join(folder, 'client', 'uploads')).filter((name) => name.endsWith('.json'));
  const [note = ''] = notes();
  assert.doesNotMatch(note, /secret/);
  const again = await open(Date.now());
  assert.equal(again?.location, LOCATION);
  await again?.release();
  for (const damaged of ['', '{', '{"location":"/v1/tokens"}', '{"location":7}']) {
    writeFileSync(join(folder, 'client', 'uploads', note), damaged);
    const opened = await open(Date.now());
    assert.deepEqual([opened !== undefined, opened?.location], [true, undefined], damaged);
    await opened?.release();
  }
  const old = new Date(Date.now() - 8 * 24 * 3_600_000);
  utimesSync(join(folder, 'client', 'uploads', note), old, old);
  await (await open(Date.now()))?.release();
  assert.deepEqual(notes(), []);
});
