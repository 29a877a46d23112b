import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Transaction, Wallet } from 'ethers';
import fc from 'fast-check';
import { deflateSync } from 'fflate/browser';
import type { Hex } from '../../../../protocol/brand.ts';
import { BATCH_LIMITS, type BatchBlock, encodeBatch } from '../../../../protocol/rollup/batch.ts';
import { createByteWriter } from '../../../../protocol/rollup/byte-writer.ts';
import { bytesToHex, hexToBytes } from '../../../../protocol/rollup/bytes.ts';
import { decodeBatch } from '../../../oracle/decode-batch.ts';

const wallet = new Wallet(`0x${'11'.repeat(32)}`);

const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(bytesToHex);
const scalar = (bits: number) => fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n });

/** Unsigned fields with an arbitrary signature: the codec carries bytes, it does not check them. */
const transaction = fc
  .record({
    type: fc.constantFrom(0, 1, 2),
    chainId: fc.constantFrom(1n, 6328270n, (1n << 50n) - 1n),
    nonce: fc.nat(),
    gasLimit: scalar(63),
    fee: scalar(250),
    priority: scalar(250),
    to: fc.option(fc.constantFrom(`0x${'ab'.repeat(20)}`, `0x${'01'.repeat(20)}`, `0x${'00'.repeat(20)}`)),
    value: scalar(256),
    data: fc.uint8Array({ maxLength: 200 }).map(bytesToHex),
    keys: fc.array(hex(32), { maxLength: 2 }),
  })
  .map(({ type, fee, priority, keys, ...fields }) => {
    const fees = type === 2 ? { maxFeePerGas: fee + priority, maxPriorityFeePerGas: priority } : { gasPrice: fee };
    const accessList =
      type === 0 ? {} : { accessList: keys.map((key) => ({ address: `0x${'33'.repeat(20)}`, storageKeys: [key] })) };
    const unsigned = Transaction.from({ type, ...fields, ...fees, ...accessList });
    unsigned.signature = wallet.signingKey.sign(unsigned.unsignedHash);
    return hexToBytes(unsigned.serialized as Hex);
  });

const block = fc.record({
  delta: fc.nat(100),
  originDelta: fc.nat(2),
  delayedMessages: fc.nat(BATCH_LIMITS.maxDelayedMessages),
  transactions: fc.array(fc.oneof(transaction, fc.uint8Array({ maxLength: 40 })), { maxLength: 4 }),
});

const blocks = fc.array(block, { maxLength: 6 }).map((items) => {
  let timestamp = 1_700_000_000n;
  let number = 20_000_000n;
  return items.map(({ delta, originDelta, ...rest }): BatchBlock => {
    timestamp += BigInt(delta);
    number += BigInt(originDelta);
    const hash: Hex = `0x${number.toString(16).padStart(64, '0')}`;
    return { timestamp, l1Origin: { number, hash }, ...rest };
  });
});

/** Text in which bigint and bytes compare by value. */
function render(decoded: readonly BatchBlock[] | undefined): string {
  return JSON.stringify(decoded, (_, value) => {
    if (typeof value === 'bigint') return value.toString();
    return value instanceof Uint8Array ? bytesToHex(value) : value;
  });
}

async function sample(): Promise<{ batch: Uint8Array; blocks: BatchBlock[] }> {
  const raw = async (nonce: number, type: number): Promise<Uint8Array> => {
    const fees = type === 2 ? { maxFeePerGas: 2n, maxPriorityFeePerGas: 1n } : { gasPrice: 3n };
    const fields = {
      type,
      chainId: 6328270,
      nonce,
      gasLimit: 60_000,
      to: `0x${'ab'.repeat(20)}`,
      data: '0xa9059cbb',
      ...fees,
    };
    return hexToBytes((await wallet.signTransaction(fields)) as Hex);
  };
  const transactions = [await raw(0, 0), await raw(1, 1), await raw(2, 2), Uint8Array.of(1, 2, 3)];
  const l1Origin = { number: 9n, hash: `0x${'aa'.repeat(32)}` as Hex };
  const list = [
    { timestamp: 1_700_000_000n, l1Origin, delayedMessages: 3, transactions },
    { timestamp: 1_700_000_000n, l1Origin, delayedMessages: 0, transactions: [] },
  ];
  return { batch: encodeBatch(list), blocks: list };
}

test('decodes what was encoded, byte for byte', () => {
  fc.assert(
    fc.property(blocks, (list) => {
      assert.equal(render(decodeBatch(encodeBatch(list))), render(list));
    }),
    { numRuns: 150 },
  );
});

test('a batch cut at any byte is malformed', async () => {
  const { batch } = await sample();
  for (let length = 0; length < batch.length; length += 1) {
    assert.equal(decodeBatch(batch.subarray(0, length)), undefined, `cut at ${length}`);
  }
});

test('flipping any bit never throws, and what still decodes encodes again to the same blocks', async () => {
  const { batch } = await sample();
  for (let bit = 0; bit < batch.length * 8; bit += 1) {
    const changed = batch.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const decoded = decodeBatch(changed);
    if (decoded !== undefined) assert.equal(render(decodeBatch(encodeBatch(decoded))), render(decoded));
  }
});

test('arbitrary bytes in the columns never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (columns) => {
      const batch = createByteWriter();
      batch.byte(1);
      batch.varint(columns.length);
      batch.bytes(deflateSync(columns));
      const decoded = decodeBatch(batch.finish());
      assert.ok(decoded === undefined || Array.isArray(decoded));
    }),
    { numRuns: 300 },
  );
});

test('a bomb is refused by its declared size, and one that lies about it by its output', () => {
  const zeros = deflateSync(new Uint8Array(BATCH_LIMITS.maxInflatedBytes + 1));
  for (const declared of [BATCH_LIMITS.maxInflatedBytes + 1, BATCH_LIMITS.maxInflatedBytes, 1]) {
    const batch = createByteWriter();
    batch.byte(1);
    batch.varint(declared);
    batch.bytes(zeros);
    assert.equal(decodeBatch(batch.finish()), undefined);
  }
});

test('every limit is kept', async () => {
  const { batch, blocks: list } = await sample();
  const limits: Partial<typeof BATCH_LIMITS>[] = [
    { maxBytes: batch.length - 1 },
    { maxBlocks: 1 },
    { maxTransactions: 3 },
    { maxDelayedMessages: 2 },
    { maxInflatedBytes: 100 },
  ];
  for (const limit of limits) assert.equal(decodeBatch(batch, { ...BATCH_LIMITS, ...limit }), undefined);
  const exact = { ...BATCH_LIMITS, maxBytes: batch.length, maxBlocks: 2, maxTransactions: 4, maxDelayedMessages: 3 };
  assert.equal(render(decodeBatch(batch, exact)), render(list));
});

test('refuses to encode blocks that are out of order', async () => {
  const { blocks: list } = await sample();
  const [first, second] = list;
  assert.ok(first && second);
  assert.throws(() => encodeBatch([first, { ...second, timestamp: 1n }]), RangeError);
  const otherHash = { number: 9n, hash: `0x${'bb'.repeat(32)}` as Hex };
  assert.throws(() => encodeBatch([first, { ...second, l1Origin: otherHash }]), RangeError);
});
