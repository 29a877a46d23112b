import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findStalledHead } from '../../../../../appliance/rollup/derive/stalled-heads.ts';

const limits = { nowMs: 1_000_000_000, l1HeadStaleMs: 300_000, l2HeadStaleMs: 200_000, safeHeadStaleMs: 900_000 };
const aged = (seconds: number) => ({ timestamp: BigInt(limits.nowMs / 1000 - seconds) });
const heads = (l1: number, unsafe: number, safe: number) => ({ l1: aged(l1), unsafe: aged(unsafe), safe: aged(safe) });

test('heads that move are ready, whatever answers', () => {
  assert.equal(findStalledHead(heads(300, 200, 900), limits), undefined);
  assert.equal(findStalledHead(heads(-60, -60, 900), limits), undefined);
});

test('each head that stands still is named with its age', () => {
  assert.equal(findStalledHead(heads(301, 1, 1), limits), 'the newest L1 block is 301 s old');
  assert.equal(findStalledHead(heads(1, 201, 1), limits), "the sequencer's newest block is 201 s old");
  assert.equal(findStalledHead(heads(1, 1, 901), limits), 'the newest L2 block that L1 has confirmed is 901 s old');
});

test('a limit of 0 asks for nothing, and the derivation genesis has no age', () => {
  assert.equal(findStalledHead(heads(301, 1, 1), { ...limits, l1HeadStaleMs: 0 }), undefined);
  assert.equal(findStalledHead({ ...heads(0, 1, 1), l1: { timestamp: 0n } }, limits), undefined);
  assert.equal(findStalledHead({ ...heads(0, 1, 1), l1: undefined }, limits), undefined);
});
