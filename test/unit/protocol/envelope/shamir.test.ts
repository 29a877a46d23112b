import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { combineShares, splitSecret } from '../../../../protocol/envelope/shamir.ts';
import VECTORS from '../../../vectors/keys/shamir.json' with { type: 'json' };

test('combines the shares of another implementation', () => {
  for (const { secret, threshold, shares } of VECTORS.vectors) {
    const all = shares.map((share) => new Uint8Array(Buffer.from(share, 'hex')));
    for (const chosen of [all, all.slice(0, threshold), all.slice(-threshold).reverse()]) {
      assert.equal(Buffer.from(combineShares(chosen) ?? []).toString('hex'), secret);
    }
    if (threshold > 2)
      assert.notEqual(Buffer.from(combineShares(all.slice(1, threshold)) ?? []).toString('hex'), secret);
  }
});

test('any k of n give the secret, and k - 1 do not', () => {
  for (const [shares, threshold] of [
    [2, 2],
    [3, 2],
    [5, 3],
    [255, 7],
  ] as const) {
    const secret = new Uint8Array(randomBytes(32));
    const random = new Uint8Array(randomBytes(32 * (threshold - 1)));
    const made = splitSecret(secret, { shares, threshold, random });
    assert.deepEqual(combineShares(made.slice(-threshold)), secret);
    assert.deepEqual(combineShares(made.slice(0, threshold)), secret);
    if (threshold > 2) assert.notDeepEqual(combineShares(made.slice(0, threshold - 1)), secret);
    for (const share of made) assert.notDeepEqual(share.subarray(0, 32), secret);
  }
});

test('refuses what does not fit together', () => {
  const [a = new Uint8Array(), b = new Uint8Array()] = splitSecret(new Uint8Array(32), {
    shares: 2,
    threshold: 2,
    random: new Uint8Array(randomBytes(32)),
  });
  for (const shares of [
    [],
    [a],
    [a, a],
    [a, b.subarray(1)],
    [a, new Uint8Array(33)],
    [new Uint8Array(1), new Uint8Array(1)],
  ])
    assert.equal(combineShares(shares), undefined);
  for (const [shares, threshold, bytes] of [
    [2, 1, 0],
    [2, 3, 64],
    [256, 2, 32],
    [3, 2, 31],
  ] as const)
    assert.throws(
      () => splitSecret(new Uint8Array(32), { shares, threshold, random: new Uint8Array(bytes) }),
      RangeError,
    );
});
