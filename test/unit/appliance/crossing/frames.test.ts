import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createFrameParser,
  encodeFrame,
  FrameError,
  type FrameType,
  frameHeader,
} from '../../../../appliance/crossing/frames.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const LIMIT = 1024;

function cut(whole: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  let at = 0;
  const parts = sizes.map((size) => {
    at += size;
    return whole.subarray(at - size, at);
  });
  return [...parts, whole.subarray(at)];
}

/** What a receiver gets that expects everything but a call. */
function read(parts: readonly Uint8Array[]): [string, string][] {
  const found: [string, string][] = [];
  const parser = createFrameParser({
    maxBytes: (type: FrameType) => (type === 'call' ? 0 : LIMIT),
    take: ({ type, payload }) => found.push([type, Buffer.from(payload).toString()]),
  });
  for (const part of parts) parser.push(part);
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

test('reads the same frames however the bytes were cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { maxLength: 40 }), (sizes) => {
      assert.deepEqual(read(cut(stream, sizes)), frames);
    }),
  );
});

test('a frame that is not whole is none', () => {
  for (let end = 0; end < stream.length; end++)
    assert.ok(read([stream.subarray(0, end)]).length < frames.length, `${end}`);
});

test('refuses unknown types, empty frames, and long or unexpected ones before a byte of them', () => {
  const bad = [
    Buffer.from([9, 0, 0, 0, 1, 0]),
    frameHeader('item', 0),
    frameHeader('item', LIMIT + 1),
    frameHeader('data', 2 ** 31),
    frameHeader('call', 1),
  ];
  for (const each of bad) assert.throws(() => read([each]), FrameError);
});

test('asks what is expected after it has handed on the frame before, in one read as well', () => {
  let expected: FrameType = 'call';
  const parser = createFrameParser({
    maxBytes: (type) => (type === expected ? LIMIT : 0),
    take: ({ type }) => {
      expected = type === 'call' ? 'item' : 'call';
    },
  });
  const [call, item] = [encodeFrame('call', bytes('put')), encodeFrame('item', bytes('null'))];
  parser.push(Buffer.concat([call, item, call, item]));
  assert.throws(() => parser.push(Buffer.concat([call, call])), FrameError);
});

test('keeps nothing of the buffer that it was given', () => {
  const kept: Uint8Array[] = [];
  const parser = createFrameParser({ maxBytes: () => LIMIT, take: ({ payload }) => kept.push(payload) });
  const given = Buffer.from(encodeFrame('data', bytes('kept')));
  parser.push(given);
  given.fill(0);
  assert.equal(Buffer.concat(kept).toString(), 'kept');
});
