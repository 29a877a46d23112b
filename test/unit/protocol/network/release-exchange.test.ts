import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import type { Cid } from '../../../../protocol/brand.ts';
import { parseCid } from '../../../../protocol/network/block-cid.ts';
import { peerIdOf } from '../../../../protocol/network/node-identity.ts';
import {
  encodeReleaseAnswer,
  encodeReleaseRequest,
  isReleaseReceipt,
  MAX_RELEASE_ANSWER_BYTES,
  MAX_RELEASE_REQUEST_BYTES,
  MAX_RELEASE_ROOTS,
  parseReleaseAnswer,
  parseReleaseRequest,
  releaseEpoch,
  releaseReceiptBytes,
} from '../../../../protocol/network/release-exchange.ts';

const seedOf = (name: string): Uint8Array => Uint8Array.from(createHash('sha256').update(name).digest());
const peerOf = (name: string) => peerIdOf(ed25519.getPublicKey(seedOf(name)));
const rootOf = (n: number): Cid =>
  parseCid(Uint8Array.of(1, 0x55, 0x12, 0x20, ...createHash('sha256').update(`${n}`).digest()));
const parties = { l2ChainId: 6_328_270n, owner: peerOf('owner'), holder: peerOf('holder') };
const request = { nonce: seedOf('nonce'), roots: [rootOf(1), rootOf(2)] };
const said = { epoch: 20_787, bytes: 2 ** 40 };
const receipt = {
  ...said,
  signature: ed25519.sign(releaseReceiptBytes(parties, request, said), seedOf('holder')),
};
const invalid = { code: 'NETWORK_MESSAGE_INVALID' };

test('requests and answers come back as they were, and fit their bounds', () => {
  assert.deepEqual(parseReleaseRequest(encodeReleaseRequest(request)), request);
  const full = { ...request, roots: Array.from({ length: MAX_RELEASE_ROOTS }, (_, n) => rootOf(n)) };
  assert.equal(encodeReleaseRequest(full).length, MAX_RELEASE_REQUEST_BYTES);
  assert.deepEqual(parseReleaseRequest(encodeReleaseRequest(full)), full);
  for (const answer of [
    { type: 'released', ...receipt },
    { type: 'refused', reason: 'busy' },
    { type: 'refused', reason: 'failed' },
  ] as const) {
    const encoded = encodeReleaseAnswer(answer);
    assert.ok(encoded.length <= MAX_RELEASE_ANSWER_BYTES);
    assert.deepEqual(parseReleaseAnswer(encoded), answer);
  }
});

test('what is cut, longer, empty, twice or of no kind is refused', () => {
  const good = encodeReleaseRequest(request);
  for (let end = 0; end < good.length; end += 1)
    assert.throws(() => parseReleaseRequest(good.subarray(0, end)), invalid);
  assert.throws(() => parseReleaseRequest(Uint8Array.of(...good, 0)), invalid);
  assert.throws(() => parseReleaseRequest(encodeReleaseRequest({ ...request, roots: [] })), invalid);
  assert.throws(
    () => parseReleaseRequest(encodeReleaseRequest({ ...request, roots: [rootOf(1), rootOf(1)] })),
    invalid,
  );
  const many = { ...request, roots: Array.from({ length: MAX_RELEASE_ROOTS + 1 }, (_, n) => rootOf(n)) };
  assert.throws(() => parseReleaseRequest(encodeReleaseRequest(many)), invalid);
  const answer = encodeReleaseAnswer({ type: 'released', ...receipt });
  for (let end = 0; end < answer.length; end += 1)
    assert.throws(() => parseReleaseAnswer(answer.subarray(0, end)), invalid);
  assert.throws(() => parseReleaseAnswer(Uint8Array.of(3, 0)), invalid);
  assert.throws(() => parseReleaseAnswer(Uint8Array.of(2, 9)), invalid);
  assert.throws(
    () =>
      parseReleaseAnswer(Uint8Array.of(1, ...new Uint8Array(4), ...new Uint8Array(8).fill(255), ...new Uint8Array(64))),
    invalid,
  );
});

test('a receipt is good for its request, its two peers, its chain, its day and its bytes alone', () => {
  assert.equal(isReleaseReceipt(parties, request, receipt), true);
  const others = [
    isReleaseReceipt({ ...parties, l2ChainId: 1n }, request, receipt),
    isReleaseReceipt({ ...parties, owner: peerOf('other') }, request, receipt),
    isReleaseReceipt({ ...parties, holder: peerOf('other') }, request, receipt),
    isReleaseReceipt(parties, { ...request, nonce: seedOf('another') }, receipt),
    isReleaseReceipt(parties, { ...request, roots: [rootOf(1)] }, receipt),
    isReleaseReceipt(parties, { ...request, roots: [rootOf(2), rootOf(1)] }, receipt),
    isReleaseReceipt(parties, request, { ...receipt, epoch: said.epoch + 1 }),
    isReleaseReceipt(parties, request, { ...receipt, bytes: said.bytes + 1 }),
    isReleaseReceipt(parties, request, { ...receipt, signature: new Uint8Array(64) }),
    isReleaseReceipt(parties, request, { ...receipt, signature: new Uint8Array(3) }),
  ];
  assert.deepEqual(new Set(others), new Set([false]));
  for (let at = 0; at < 64; at += 1) {
    const signature = Uint8Array.from(receipt.signature, (byte, index) => (index === at ? byte ^ 1 : byte));
    assert.equal(isReleaseReceipt(parties, request, { ...receipt, signature }), false);
  }
});

test('an epoch is a day of UTC', () => {
  assert.equal(releaseEpoch(0), 0);
  assert.equal(releaseEpoch(86_399_999), 0);
  assert.equal(releaseEpoch(Date.UTC(2026, 10, 30, 12)), 20_787);
});
