import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { sha256 } from 'multiformats/hashes/sha2';
import type { Cid } from '../../../../protocol/brand.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { encodeCid, parseCid, verifyBlock } from '../../../../protocol/network/block-cid.ts';
import {
  type ExchangeAnswer,
  type ExchangeRequest,
  encodeExchangeAnswer,
  encodeExchangeRequest,
  MAX_EXCHANGE_REQUEST_BYTES,
  MAX_HOLD_CIDS,
  parseExchangeAnswer,
  parseExchangeRequest,
} from '../../../../protocol/network/block-exchange.ts';
import { encodeFrameHeader, MAX_BLOCK_BYTES, parseFrameHeader } from '../../../../protocol/network/frame.ts';
import { encodeRangeRequest, parseRangeRequest } from '../../../../protocol/network/unsafe-range.ts';

const cidOf = (seed: number | string): Cid =>
  parseCid(Uint8Array.from([0x01, 0x55, 0x12, 0x20, ...createHash('sha256').update(String(seed)).digest()]));
const cids = (count: number): Cid[] => Array.from({ length: count }, (_, index) => cidOf(index));

const requests: ExchangeRequest[] = [
  { type: 'get', root: cidOf('r'), cid: cidOf(1) },
  { type: 'hold', root: cidOf('r'), cids: cids(3) },
  { type: 'hold', root: cidOf('r'), cids: cids(MAX_HOLD_CIDS) },
  { type: 'release', root: cidOf('r') },
];
const answers: ExchangeAnswer[] = [
  { type: 'block', bytes: Uint8Array.of(1, 2, 3) },
  { type: 'block', bytes: new Uint8Array(0) },
  { type: 'want', cid: cidOf(1) },
  { type: 'done' },
  { type: 'refused', reason: 'quota' },
];

test('CIDs are those that multiformats makes, and only in their one text', async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const reference = CID.createV1(raw.code, await sha256.digest(bytes));
  const cid = parseCid(reference.bytes);
  assert.equal(cid, reference.toString());
  assert.deepEqual(encodeCid(cid), reference.bytes);
  assert.equal(verifyBlock(cid, bytes), bytes);
  assert.throws(() => verifyBlock(cid, Uint8Array.of(1, 2, 4)), isCode('NETWORK_BLOCK_MISMATCH'));
  for (const other of [cid.toUpperCase(), `${cid}a`, cid.slice(1), reference.toV1().toString().replace('b', 'z'), '']) {
    assert.throws(() => encodeCid(other), isCode('NETWORK_CID_INVALID'));
  }
});

test('no text but the canonical one decodes', () => {
  const cid = cidOf('x');
  for (const letter of 'abcdefghijklmnopqrstuvwxyz234567') {
    const changed = cid.slice(0, -1) + letter;
    if (changed === cid) continue;
    // the last letter carries padding bits: an altered one is either another CID or refused, never a second text
    let bytes: Uint8Array;
    try {
      bytes = encodeCid(changed);
    } catch (error) {
      assert.ok(isNectarError(error, 'NETWORK_CID_INVALID'));
      continue;
    }
    assert.notDeepEqual(bytes, encodeCid(cid));
  }
});

test('every exchange message survives its encoding', () => {
  for (const request of requests) assert.deepEqual(parseExchangeRequest(encodeExchangeRequest(request)), request);
  for (const answer of answers) assert.deepEqual(parseExchangeAnswer(encodeExchangeAnswer(answer)), answer);
  assert.equal(encodeExchangeRequest(requests[2] as ExchangeRequest).length, MAX_EXCHANGE_REQUEST_BYTES);
});

test('a message cut at any byte, or with a byte after it, is refused', () => {
  for (const bytes of [requests[0], requests[1], requests[3]].map((request) =>
    encodeExchangeRequest(request as ExchangeRequest),
  )) {
    for (let length = 0; length < bytes.length; length += 1) {
      assert.throws(() => parseExchangeRequest(bytes.subarray(0, length)), isRefused);
    }
    assert.throws(() => parseExchangeRequest(Uint8Array.of(...bytes, 0)), isRefused);
  }
  for (const answer of answers.filter(({ type }) => type !== 'block')) {
    const bytes = encodeExchangeAnswer(answer);
    assert.throws(() => parseExchangeAnswer(bytes.subarray(0, -1)), isRefused);
    assert.throws(() => parseExchangeAnswer(Uint8Array.of(...bytes, 0)), isRefused);
  }
});

test('random bytes never crash a parser, and what is taken has that one encoding', () => {
  const starts = fc.constantFrom(0x01, 0x02, 0x03, 0x11, 0x12, 0x13, 0x14, 0xff);
  fc.assert(
    fc.property(starts, fc.uint8Array({ maxLength: 200 }), (type, tail) => {
      const input = Uint8Array.of(type, ...tail);
      whenTaken(parseExchangeRequest, input, (request) => assert.deepEqual(encodeExchangeRequest(request), input));
      whenTaken(parseExchangeAnswer, input, (answer) => assert.deepEqual(encodeExchangeAnswer(answer), input));
      whenTaken(parseRangeRequest, input, (request) => assert.deepEqual(encodeRangeRequest(request), input));
    }),
    { numRuns: 2000 },
  );
});

test('mutated requests never crash and stay canonical', () => {
  const valid = encodeExchangeRequest(requests[1] as ExchangeRequest);
  fc.assert(
    fc.property(fc.nat(valid.length - 1), fc.integer({ min: 1, max: 255 }), (index, flip) => {
      const input = Uint8Array.from(valid);
      input[index] = (input[index] ?? 0) ^ flip;
      whenTaken(parseExchangeRequest, input, (request) => assert.deepEqual(encodeExchangeRequest(request), input));
    }),
  );
});

test('counts, repeats and sizes are bounded', () => {
  const hold = encodeExchangeRequest({ type: 'hold', root: cidOf('r'), cids: [cidOf(1), cidOf(1)] });
  assert.throws(() => parseExchangeRequest(hold), isRefused);
  const none = encodeExchangeRequest({ type: 'hold', root: cidOf('r'), cids: [] });
  assert.throws(() => parseExchangeRequest(none), isRefused);
  const many = encodeExchangeRequest({ type: 'hold', root: cidOf('r'), cids: cids(MAX_HOLD_CIDS + 1) });
  assert.throws(() => parseExchangeRequest(many), isRefused);
  const block = new Uint8Array(MAX_BLOCK_BYTES + 2).fill(0x11, 0, 1);
  assert.throws(() => parseExchangeAnswer(block), isRefused);
  assert.throws(() => parseRangeRequest(encodeRangeRequest({ from: 1n, limit: 0 })), isRefused);
  assert.throws(() => parseRangeRequest(encodeRangeRequest({ from: 1n, limit: 257 })), isRefused);
  assert.deepEqual(parseRangeRequest(encodeRangeRequest({ from: 2n ** 64n - 1n, limit: 256 })), {
    from: 2n ** 64n - 1n,
    limit: 256,
  });
});

test('a frame header is refused above the bound that its reader sets', () => {
  assert.equal(parseFrameHeader(encodeFrameHeader(100), 100), 100);
  assert.throws(() => parseFrameHeader(encodeFrameHeader(101), 100), isCode('NETWORK_FRAME_OVERSIZE'));
  assert.throws(
    () => parseFrameHeader(new Uint8Array(4).fill(0xff), MAX_BLOCK_BYTES),
    isCode('NETWORK_FRAME_OVERSIZE'),
  );
});

function whenTaken<T>(parse: (bytes: Uint8Array) => T, input: Uint8Array, check: (value: T) => void): void {
  let value: T;
  try {
    value = parse(input);
  } catch (error) {
    assert.ok(isRefused(error), String(error));
    return;
  }
  check(value);
}

function isRefused(error: unknown): boolean {
  return isNectarError(error, 'NETWORK_MESSAGE_INVALID') || isNectarError(error, 'NETWORK_CID_INVALID');
}

function isCode(code: string): (error: unknown) => boolean {
  return (error) => isNectarError(error) && error.code === code;
}
