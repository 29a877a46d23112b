import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createFrameParser,
  encodeFrame,
  FrameError,
  frameHeader,
  readFrames,
} from '../../../../appliance/crossing/frames.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const LIMIT = 1024;

async function* cut(whole: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield whole.subarray(at, at + size);
    at += size;
  }
  yield whole.subarray(at);
}

async function read(whole: Uint8Array, sizes: readonly number[] = []): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for await (const { type, payload } of readFrames(cut(whole, sizes), LIMIT)) {
    found.push([type, Buffer.from(payload).toString()]);
  }
  return found;
}

const stream = Buffer.concat([
  encodeFrame('item', bytes('{"a":1}')),
  encodeFrame('data', bytes('some')),
  encodeFrame('data', bytes('thing')),
  encodeFrame('result', bytes('null')),
]);
const frames = [
  ['item', '{"a":1}'],
  ['data', 'some'],
  ['data', 'thing'],
  ['result', 'null'],
];

test('reads the same frames however the bytes were cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(9), { maxLength: 40 }), async (sizes) => {
      assert.deepEqual(await read(stream, sizes), frames);
    }),
  );
});

test('a stream cut off at any byte is no stream', async () => {
  for (let end = 0; end < stream.length; end++)
    await assert.rejects(read(stream.subarray(0, end)), FrameError, `${end}`);
});

test('refuses unknown types, empty frames, long ones before a byte of them, and bytes after the end', async () => {
  const unknown = Buffer.from([9, 0, 0, 0, 1, 0]);
  const after = Buffer.concat([stream, Buffer.from([1])]);
  const bad = [unknown, frameHeader('item', 0), frameHeader('item', LIMIT + 1), frameHeader('data', 2 ** 31), after];
  for (const each of bad) await assert.rejects(read(each), FrameError);
});

test('keeps nothing of the buffer that it was given', () => {
  const parser = createFrameParser(LIMIT);
  const given = Buffer.from(encodeFrame('data', bytes('kept')));
  const [frame] = parser.push(given);
  given.fill(0);
  assert.equal(Buffer.from(frame?.payload ?? []).toString(), 'kept');
});
