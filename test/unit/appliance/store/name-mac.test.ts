import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createNameMac } from '../../../../appliance/store/name-mac.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const expected = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest();

test('agrees with HMAC-SHA256 for texts of every length, longer than its buffer too', () => {
  const key = randomBytes(32);
  const mac = createNameMac(key);
  for (let length = 0; length < 700; length++) {
    const text = 'a'.repeat(length);
    assert.deepEqual(latin1(mac(text)), expected(key, text), `${length} characters`);
  }
});

test('takes text as UTF-8, and a long one leaves nothing in a short one', () => {
  const key = randomBytes(32);
  const mac = createNameMac(key);
  for (const text of [
    'list\0Müller',
    '\u{1F600}'.repeat(120),
    'x',
    '\u{1F600}'.repeat(130),
    'record\0',
    'é'.repeat(300),
  ])
    assert.deepEqual(latin1(mac(text)), expected(key, text));
});

test('refuses a key that HMAC would have to hash first', () => {
  assert.throws(() => createNameMac(new Uint8Array(65)), RangeError);
});
