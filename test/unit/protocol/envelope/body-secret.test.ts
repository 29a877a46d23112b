import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  continuesBodySecret,
  isBodySecret,
  MAX_BODY_KEYS,
  nextBodySecret,
  parseBodySecret,
} from '../../../../protocol/envelope/body-secret.ts';

const key = (n: number): Uint8Array => new Uint8Array(32).fill(n);

test('a secret that takes the place of another has one more key in front, and opens all of it', () => {
  const second = nextBodySecret(key(1), () => key(2));
  const third = nextBodySecret(second, () => key(3));
  assert.deepEqual(parseBodySecret(third), [key(3), key(2), key(1)]);
  for (const before of [key(1), second, third]) assert.ok(continuesBodySecret(third, before));
  assert.ok(!continuesBodySecret(second, third));
  assert.ok(!continuesBodySecret(second, key(2)), 'the newest key of it is another secret');
  assert.ok(!continuesBodySecret(key(1), key(2)));
});

test('a secret with the most keys stays what it is, as a copy', () => {
  let secret = key(0);
  for (let i = 1; i < MAX_BODY_KEYS; i++) secret = nextBodySecret(secret, () => key(i));
  const next = nextBodySecret(secret, () => key(99));
  assert.deepEqual(next, secret);
  assert.notEqual(next, secret);
  assert.equal(parseBodySecret(next).length, MAX_BODY_KEYS);
});

test('bytes of another length are no secret', () => {
  for (const length of [0, 31, 33, 48, 32 * (MAX_BODY_KEYS + 1)]) {
    assert.equal(isBodySecret(new Uint8Array(length)), false, String(length));
    assert.throws(() => parseBodySecret(new Uint8Array(length)), RangeError);
  }
  assert.ok(isBodySecret(new Uint8Array(64)));
});
