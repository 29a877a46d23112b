import assert from 'node:assert/strict';
import { test } from 'node:test';
import { halfSipHash, halfSipHashUnit } from '../../../../protocol/storage/half-sip-hash.ts';

test("has the reference's vector for 8 bytes: key 00 to 07, message 00 to 07", () => {
  const words = halfSipHash([0x03020100, 0x07060504], 0x03020100, 0x07060504);
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(words[0]);
  bytes.writeUInt32LE(words[1], 4);
  assert.equal(bytes.toString('hex'), 'edfee820bce4858c');
});

test('gives units from 0 to below 1 whose mean is a half', () => {
  let sum = 0;
  for (let i = 0; i < 20_000; i++) {
    const unit = halfSipHashUnit([1, 2], i, 0);
    assert.ok(unit >= 0 && unit < 1);
    sum += unit;
  }
  assert.ok(Math.abs(sum / 20_000 - 0.5) < 0.01, `${sum / 20_000}`);
});
