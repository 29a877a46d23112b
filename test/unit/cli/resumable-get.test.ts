import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { openResumable } from '../../../cli/resumable-get.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import { breakingNode, MIB } from './breaking-node.ts';

const waiting = { signal: new AbortController().signal, wait: async () => undefined };

async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

test('goes on where it was through every break, and always with the version that it began with', async () => {
  const content = randomBytes(5 * MIB + 77);
  const { world, client } = breakingNode(content, 2 * MIB);
  const broken: number[] = [];
  const onBroken = (_reason: string, at: number) => {
    broken.push(at);
    if (broken.length % 3 === 1) world.down = 2;
    // A new version, and the old one sealed anew, change nothing of what is read.
    world.etag = '"bafk2"';
  };
  const { body, bytes } = await openResumable(client, { path: '/r', onBroken, ...waiting });
  assert.deepEqual(await readAll(body), content);
  assert.equal(bytes, content.length);
  assert.deepEqual([...new Set(broken)], [2 * MIB, 4 * MIB]);
  assert.equal(world.asked[0], '/r whole');
  assert.ok(world.asked.slice(1).every((asked) => asked.startsWith('/r?version=1 bytes=')));
});

test('a range goes on within itself', async () => {
  const content = randomBytes(6 * MIB);
  const { world, client } = breakingNode(content, MIB);
  const range = `bytes=100-${4 * MIB}`;
  const { body } = await openResumable(client, { path: '/r', range, onBroken: () => undefined, ...waiting });
  assert.deepEqual(await readAll(body), content.subarray(100, 4 * MIB + 1));
  assert.equal(world.asked.at(-1), `/r?version=1 bytes=${3 * MIB + 100}-${4 * MIB}`);
});

test('content that the node cannot authenticate ends after three answers that bring nothing', async () => {
  const { world, client } = breakingNode(randomBytes(3 * MIB), MIB);
  const { body } = await openResumable(client, {
    path: '/r',
    onBroken: () => {
      world.bytesPerAnswer = 0;
    },
    ...waiting,
  });
  await assert.rejects(readAll(body), (error) => {
    assert.ok(isNectarError(error, 'CLI_TRANSFER_TRUNCATED'));
    assert.deepEqual(error.data, { expected: 3 * MIB, received: MIB });
    return true;
  });
  assert.equal(world.asked.length, 4);
});

test('another content under the same number, and one that is gone, are refused in the middle', async () => {
  for (const [change, code] of [
    [{ createdAt: '2026-11-29T13:00:00.000Z' }, 'CLI_RECORD_CHANGED'],
    [{ version: 2 }, 'CLI_RECORD_CHANGED'],
    [{ gone: true }, 'STORE_RECORD_SHREDDED'],
  ] as const) {
    const { world, client } = breakingNode(randomBytes(2 * MIB), MIB);
    const onBroken = () => void Object.assign(world, change);
    const { body } = await openResumable(client, { path: '/r', onBroken, ...waiting });
    await assert.rejects(readAll(body), (error) => isNectarError(error, code));
  }
});

test('gives up after ten minutes without a byte', async () => {
  const { world, client } = breakingNode(randomBytes(2 * MIB), MIB);
  let clock = 0;
  const { body } = await openResumable(client, {
    path: '/r',
    signal: new AbortController().signal,
    onBroken: () => {
      world.down = 1;
    },
    now: () => clock,
    wait: async (ms) => {
      clock += ms;
    },
  });
  await assert.rejects(readAll(body), (error) => isNectarError(error, 'CLI_NODE_UNREACHABLE'));
  assert.equal(Math.floor(clock / 60_000), 10);
});
