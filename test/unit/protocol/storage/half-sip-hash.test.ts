import assert from 'node:assert/strict';
import { test } from 'node:test';
import { halfSipHashUnit } from '../../../../protocol/storage/half-sip-hash.ts';

test("has the reference's vector for 8 bytes: key 00 to 07, message 00 to 07", () => {
  const vector = Buffer.from('edfee820bce4858c', 'hex');
  const unit = (vector.readUInt32LE(4) * 2 ** 21 + (vector.readUInt32LE(0) >>> 11)) / 2 ** 53;
  assert.equal(halfSipHashUnit([0x03020100, 0x07060504], 0x03020100, 0x07060504), unit);
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
