import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Transaction, Wallet } from 'ethers';
import fc from 'fast-check';
import type { Hex } from '../../../../protocol/brand.ts';
import { hexToBytes } from '../../../../protocol/rollup/bytes.ts';
import { gasLimitOf } from '../../../../protocol/rollup/gas-limit.ts';

const wallet = new Wallet(`0x${'11'.repeat(32)}`);
const authorizationList = [wallet.authorizeSync({ address: wallet.address, nonce: 0, chainId: 7n })];

function sign(type: 0 | 1 | 2 | 4, gasLimit: bigint, data: string): Uint8Array {
  const tx = Transaction.from({ type, chainId: 7n, nonce: 300, gasLimit, to: wallet.address, value: 0n, data });
  if (type < 2) tx.gasPrice = 1_000n;
  if (type === 4) tx.authorizationList = authorizationList;
  tx.signature = wallet.signingKey.sign(tx.unsignedHash);
  return hexToBytes(tx.serialized as Hex);
}

test('reads the gas limit of every type of transaction', () => {
  const gas = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  const data = fc.uint8Array({ maxLength: 300 }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`);
  fc.assert(
    fc.property(fc.constantFrom(0, 1, 2, 4), gas, data, (type, gasLimit, calldata) => {
      assert.equal(gasLimitOf(sign(type, gasLimit, calldata)), gasLimit);
    }),
    { numRuns: 60 },
  );
});

test('says nothing of what is no list, is cut off, or has something else in its place', () => {
  const whole = sign(2, 21_000n, '0x');
  for (let length = 0; length < whole.length; length += 1)
    assert.equal(gasLimitOf(whole.subarray(0, length)), undefined);
  for (const wrong of [
    '0x',
    '0x80',
    '0xc0',
    '0x03c0',
    '0xc3010280',
    '0xc30102c0',
    '0xc401028100',
    '0xf80101',
    '0xc4010282ff',
  ])
    assert.ok((gasLimitOf(hexToBytes(wrong as Hex)) ?? 0n) === 0n, wrong);
  assert.equal(gasLimitOf(hexToBytes('0xcc010289010000000000000000')), undefined, 'wider than 64 bits');
  assert.equal(gasLimitOf(hexToBytes('0xc5010282ffff')), 65_535n);
});
