import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { RLP } from '@ethereumjs/rlp';
import fc from 'fast-check';
import { inflateSync } from 'fflate/browser';
import { createMachine } from '../../../machine/host/machine.ts';
import { type BatchBlock, encodeBatch } from '../../../protocol/rollup/batch.ts';
import { joinTransaction } from '../../../protocol/rollup/transaction-fields.ts';
import { decodeBatch } from '../../oracle/decode-batch.ts';
import { createMemoryPreimages, machineModule } from './machine-fixture.ts';

const machine = createMachine(machineModule, { chainId: 1n, fork: 'prague', p256: true }, createMemoryPreimages());
/** More by hand: NECTAR_FUZZ_RUNS=100000 node --test test/unit/machine/batch.test.ts */
const RUNS = Number(process.env.NECTAR_FUZZ_RUNS ?? 400);

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const big = (bits: number) =>
  fc.oneof(fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n }), fc.bigInt({ min: 0n, max: 300n }));
const accessList = fc
  .array(fc.tuple(bytes(20), fc.array(bytes(32), { maxLength: 3 })), { minLength: 1, maxLength: 3 })
  .map((items) => RLP.encode(items));
const transaction = fc
  .record({
    type: fc.constantFrom(0 as const, 1 as const, 2 as const),
    chainId: big(63),
    nonce: big(64),
    priorityFee: big(256),
    maxFee: big(256),
    gasLimit: big(64),
    to: fc.option(fc.oneof(bytes(20), fc.constantFrom(new Uint8Array(20).fill(1), new Uint8Array(20).fill(2))), {
      nil: undefined,
    }),
    value: big(256),
    data: fc.uint8Array({ maxLength: 90 }),
    accessList: fc.option(accessList, { nil: undefined }),
    yParity: fc.constantFrom(0 as const, 1 as const),
    r: big(256),
    s: big(256),
  })
  .map((fields) =>
    joinTransaction({
      ...fields,
      chainId: fields.type === 0 && fields.chainId < 1n ? 0n : fields.chainId,
      priorityFee: fields.type === 2 ? fields.priorityFee : 0n,
      accessList: fields.type === 0 ? undefined : fields.accessList,
    }),
  );
const raw = fc.oneof({ weight: 4, arbitrary: transaction }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) });
const blocks = fc
  .array(
    fc.record({
      step: fc.integer({ min: 0, max: 5 }),
      origin: fc.integer({ min: 0, max: 2 }),
      delayedMessages: fc.integer({ min: 0, max: 1024 }),
      transactions: fc.array(raw, { maxLength: 6 }),
    }),
    { maxLength: 6 },
  )
  .map((list) => {
    let [timestamp, number] = [1_700_000_000n, 5n];
    return list.map(({ step, origin, delayedMessages, transactions }): BatchBlock => {
      timestamp += BigInt(step);
      number += BigInt(origin);
      const hash = `0x${number.toString(16).padStart(64, 'a')}` as const;
      return { timestamp, l1Origin: { number, hash }, delayedMessages, transactions };
    });
  });

function agree(data: Uint8Array): BatchBlock[] | undefined {
  const [oracle, found] = [decodeBatch(data), machine.decodeBatch(data)];
  assert.deepEqual(found, oracle);
  return oracle;
}

test('decodes every batch that the encoder makes, as TypeScript does', () => {
  fc.assert(
    fc.property(blocks, (list) => {
      assert.deepEqual(agree(encodeBatch(list)), list);
    }),
    { numRuns: RUNS },
  );
});

test('agrees about batches with a byte changed, cut or added', () => {
  const change = fc.record({ at: fc.nat(), to: fc.nat(255), cut: fc.nat(3), tail: fc.uint8Array({ maxLength: 3 }) });
  fc.assert(
    fc.property(blocks, fc.array(change, { minLength: 1, maxLength: 3 }), (list, changes) => {
      let data = encodeBatch(list);
      for (const { at, to, cut, tail } of changes) {
        data[at % data.length] = to;
        data = Uint8Array.of(...data.subarray(0, data.length - (cut % data.length)), ...tail);
      }
      agree(data);
    }),
    { numRuns: RUNS },
  );
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
}

/** A batch around columns that no encoder made. */
function batchOf(plain: Uint8Array, deflated: Uint8Array = deflateRawSync(plain)): Uint8Array {
  return Uint8Array.of(1, ...varint(plain.length), ...deflated);
}

test('agrees about columns with a byte changed: the DEFLATE is right, what it holds is not', () => {
  const change = fc.record({ at: fc.nat(), to: fc.nat(255) });
  let accepted = 0;
  fc.assert(
    fc.property(blocks, fc.array(change, { minLength: 1, maxLength: 2 }), (list, changes) => {
      const plain = columnsOf(list);
      for (const { at, to } of changes) plain[at % plain.length] = to;
      if (agree(batchOf(plain)) !== undefined) accepted += 1;
    }),
    { numRuns: 2 * RUNS },
  );
  assert.ok(accepted > 0);
});

function columnsOf(list: readonly BatchBlock[]): Uint8Array {
  const data = encodeBatch(list);
  let at = 1;
  while ((data[at] ?? 0) >= 128) at += 1;
  return Uint8Array.from(inflateRawSync(data.subarray(at + 1)));
}

/** What batch.ts makes of DEFLATE: exactly `size` bytes or nothing. */
function inflate(data: Uint8Array, size: number): Uint8Array | undefined {
  try {
    const plain = inflateSync(data, { out: new Uint8Array(size + 1) });
    return plain.length === size ? plain : undefined;
  } catch {
    return undefined;
  }
}

function outputLength(data: Uint8Array): number | undefined {
  try {
    return inflateSync(data, { out: new Uint8Array(1 << 16) }).length;
  } catch {
    return undefined;
  }
}

/** Sets the kind of the first block: 0 stored, 1 fixed codes, 2 dynamic codes, 3 none. */
function withBlock(kind: number, isFinal: boolean, body: Uint8Array): Uint8Array {
  return Uint8Array.of((kind << 1) | Number(isFinal) | ((body[0] ?? 0) & 0xf8), ...body.subarray(1));
}

test('inflates noise as TypeScript does, byte for byte: what RFC 1951 forbids and both accept included', () => {
  const noise = fc.uint8Array({ minLength: 8, maxLength: 300, size: 'max' });
  let accepted = 0;
  fc.assert(
    fc.property(noise, fc.nat(3), fc.boolean(), fc.nat(2000), (body, kind, isFinal, guess) => {
      const data = withBlock(kind, isFinal, body);
      const size = outputLength(data);
      if (size !== undefined) accepted += 1;
      for (const claim of [size ?? guess, (size ?? guess) + 1, Math.max(0, (size ?? guess) - 1)])
        assert.deepEqual(machine.inflate(data, claim), inflate(data, claim));
    }),
    { numRuns: 10 * RUNS },
  );
  assert.ok(accepted > 0, `${accepted} inflate`);
});

test('inflates what compressors make with a bit changed as TypeScript does', () => {
  const plain = fc.array(fc.constantFrom('aaaa', 'abc', 'nectar ', '\0\0\0', 'x'), { minLength: 5, maxLength: 200 });
  fc.assert(
    fc.property(plain, fc.integer({ min: 0, max: 9 }), fc.array(fc.nat(), { maxLength: 2 }), (words, level, flips) => {
      const source = Buffer.from(words.join(''));
      const data = Uint8Array.from(deflateRawSync(source, { level }));
      for (const flip of flips)
        data[(flip >> 3) % data.length] = (data[(flip >> 3) % data.length] ?? 0) ^ (1 << (flip & 7));
      const size = outputLength(data) ?? source.length;
      assert.deepEqual(machine.inflate(data, size), inflate(data, size));
      if (flips.length === 0) assert.deepEqual(machine.inflate(data, source.length), Uint8Array.from(source));
    }),
    { numRuns: 5 * RUNS },
  );
});

test('refuses what is past a limit as TypeScript does', () => {
  const empty = {
    timestamp: 1n,
    l1Origin: { number: 1n, hash: `0x${'aa'.repeat(32)}` as const },
    delayedMessages: 0,
    transactions: [],
  };
  assert.ok(agree(encodeBatch(Array.from({ length: 4096 }, () => empty))));
  assert.equal(agree(encodeBatch(Array.from({ length: 4097 }, () => empty))), undefined);
  assert.equal(agree(encodeBatch([{ ...empty, delayedMessages: 1025 }])), undefined);
  assert.equal(agree(new Uint8Array(120_001)), undefined);
  assert.equal(agree(new Uint8Array()), undefined);
  const bomb = encodeBatch([{ ...empty, transactions: [new Uint8Array(4 << 20)] }]);
  assert.equal(agree(bomb), undefined);
  assert.ok(agree(encodeBatch([{ ...empty, transactions: [new Uint8Array((4 << 20) - 200)] }])));
});
