import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { verifyPointEvaluation, verifyPointEvaluationForEvm } from '../../oracle/point-evaluation.ts';

const { G1, fields } = bls12_381;
const INFINITY = `0xc0${'00'.repeat(47)}`;
/** [tau] on G1 of Ethereum's KZG ceremony: the commitment to the polynomial p(X) = X. */
const TAU_G1 = '0xad3eb50121139aa34db1d545093ac9374ab7bca2c0f3bf28e27c8dcd8fc7cb42d25926fc0c97b336e9f0fb35e5a04c81';
const GENERATOR = `0x${G1.Point.BASE.toHex(true)}`;
const word = (value: bigint): string => `0x${value.toString(16).padStart(64, '0')}`;

test('p(X) = X has the value z at z, and no other', () => {
  for (const z of [0n, 1n, 12345n, fields.Fr.ORDER - 1n]) {
    assert.equal(verifyPointEvaluation(TAU_G1, word(z), word(z), GENERATOR), true);
    assert.equal(verifyPointEvaluation(TAU_G1, word(z), word((z + 1n) % fields.Fr.ORDER), GENERATOR), false);
  }
});

test('a constant has its value everywhere, with the point at infinity as proof', () => {
  const five = `0x${G1.Point.BASE.multiply(5n).toHex(true)}`;
  assert.equal(verifyPointEvaluation(five, word(77n), word(5n), INFINITY), true);
  assert.equal(verifyPointEvaluation(five, word(77n), word(6n), INFINITY), false);
  assert.equal(verifyPointEvaluation(INFINITY, word(3n), word(0n), INFINITY), true);
});

test('a scalar past the field and a point off the curve are refused by the name that the EVM knows', () => {
  const badArguments = { message: 'C_KZG_BADARGS' };
  assert.throws(() => verifyPointEvaluationForEvm(TAU_G1, word(fields.Fr.ORDER), word(0n), GENERATOR), badArguments);
  assert.throws(() => verifyPointEvaluationForEvm(`0x${'11'.repeat(48)}`, word(0n), word(0n), GENERATOR), badArguments);
});
