import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodeEnvelopeCrypto as crypto } from '../../../../appliance/keys/index.ts';
import type { Cid, RecordId } from '../../../../protocol/brand.ts';
import { blobAad, dekAad } from '../../../../protocol/envelope/aad.ts';
import { recordCommitment } from '../../../../protocol/envelope/commitment.ts';
import {
  DESTRUCTION_RECEIPT_TYPE,
  destructionStatementBytes,
} from '../../../../protocol/envelope/destruction-receipt.ts';
import {
  createValueOpener,
  createValueSealer,
  openValue,
  SEALED_VALUE_NONCE_BYTES,
  SEALED_VALUE_RANDOM_BYTES,
  SEALED_VALUE_SALT_BYTES,
  sealValue,
} from '../../../../protocol/envelope/sealed-value.ts';
import { unwrapDek, wrapDek } from '../../../../protocol/envelope/wrapped-dek.ts';

const recordId = '00112233445566778899aabbccddeeff' as RecordId;
const nodeId = 'ffeeddccbbaa99887766554433221100';
const context = { recordId, version: 7 };

test('blob AAD has the documented layout', () => {
  assert.equal(
    Buffer.from(blobAad({ nodeId, recordId, version: 258 })).toString('hex'),
    `01${nodeId}${recordId}00000102`,
  );
});

test('DEK AAD has the documented layout', () => {
  const name = Buffer.from('kek/12').toString('hex');
  assert.equal(
    Buffer.from(dekAad('kek/12', { recordId, version: 1 })).toString('hex'),
    `0106${name}${recordId}00000001`,
  );
});

test('AAD refuses ids and versions of the wrong shape', () => {
  assert.throws(() => blobAad({ nodeId: 'ab', recordId, version: 1 }));
  assert.throws(() => blobAad({ nodeId, recordId, version: 0 }));
  assert.throws(() => blobAad({ nodeId, recordId, version: 2 ** 32 }));
  assert.throws(() => dekAad('k'.repeat(256), context));
});

const kek = { id: 'kek/1', key: randomBytes(32) };
const dek = randomBytes(32);
const wrapped = wrapDek(crypto, kek, { dek, context, nonce: randomBytes(12) });

test('a wrapped DEK opens for its KEK, record and version alone', () => {
  assert.deepEqual(Buffer.from(unwrapDek(crypto, kek, { wrapped, context }) ?? []), dek);
  assert.equal(unwrapDek(crypto, { ...kek, key: randomBytes(32) }, { wrapped, context }), undefined);
  assert.equal(unwrapDek(crypto, { ...kek, id: 'kek/2' }, { wrapped, context }), undefined);
  assert.equal(unwrapDek(crypto, kek, { wrapped, context: { ...context, version: 8 } }), undefined);
  const other = { ...context, recordId: nodeId as RecordId };
  assert.equal(unwrapDek(crypto, kek, { wrapped, context: other }), undefined);
});

test('a wrapped DEK with any byte altered, or cut, does not open', () => {
  for (let i = 0; i < wrapped.sealed.length; i++) {
    const sealed = Uint8Array.from(wrapped.sealed);
    sealed[i] = (sealed[i] ?? 0) ^ 1;
    assert.equal(unwrapDek(crypto, kek, { wrapped: { ...wrapped, sealed }, context }), undefined, `byte ${i}`);
    assert.equal(
      unwrapDek(crypto, kek, { wrapped: { ...wrapped, sealed: sealed.subarray(0, i) }, context }),
      undefined,
    );
  }
});

const key = randomBytes(32);

test('a sealed value opens at its place alone', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }),
      (value, place, other) => {
        const sealed = sealValue(crypto, key, { place, value, random: randomBytes(SEALED_VALUE_RANDOM_BYTES) });
        assert.deepEqual(Buffer.from(openValue(crypto, key, { place, sealed }) ?? [256]), Buffer.from(value));
        if (Buffer.compare(place, other) !== 0)
          assert.equal(openValue(crypto, key, { place: other, sealed }), undefined);
      },
    ),
  );
});

test('values of one sealer share the salt and nothing else: each opens at its place alone', () => {
  const seal = createValueSealer(crypto, key, randomBytes(SEALED_VALUE_SALT_BYTES));
  const values = ['one', 'two', 'three'].map((text) => Buffer.from(text));
  const sealed = values.map((value) => seal({ place: value, value, nonce: randomBytes(SEALED_VALUE_NONCE_BYTES) }));
  for (const [i, value] of values.entries()) {
    const found = sealed.map((each) => openValue(crypto, key, { place: value, sealed: each }));
    assert.deepEqual(
      found.map((each) => each !== undefined),
      values.map((_, j) => j === i),
    );
    assert.deepEqual(Buffer.from(found[i] ?? []), value);
  }
  const heads = new Set(sealed.map((each) => Buffer.from(each.subarray(1, 29)).toString('hex')));
  assert.equal(heads.size, 3, 'no nonce twice');
});

test('a value is sealed into the room that the caller brings, which must be its own', () => {
  const value = new Uint8Array(50).fill(3);
  const [place, nonce, salt] = [Uint8Array.of(1, 2), new Uint8Array(12).fill(4), new Uint8Array(16).fill(5)];
  const seal = createValueSealer(crypto, new Uint8Array(32).fill(6), salt);
  const alone = seal({ place, value, nonce });
  const memory = new Uint8Array(alone.length + 8).fill(0xee);
  const room = memory.subarray(4, 4 + alone.length);
  assert.equal(seal({ place, value, nonce, room }), room);
  assert.deepEqual(room, alone);
  assert.deepEqual([...memory.subarray(0, 4), ...memory.subarray(-4)], new Array(8).fill(0xee));
  for (const other of [alone.length - 1, alone.length + 1])
    assert.throws(() => seal({ place, value, nonce, room: new Uint8Array(other) }), RangeError);
});

test('an opener of many values opens what openValue opens, and nothing else, however many salts there are', () => {
  const open = createValueOpener(crypto, key);
  const written = Array.from({ length: 200 }, (_, i) => {
    const seal = createValueSealer(crypto, key, randomBytes(SEALED_VALUE_SALT_BYTES));
    return ['one', 'two'].map((name) => {
      const place = Buffer.from(`${name} ${i}`);
      const value = Buffer.from(`value ${name} ${i}`);
      return { place, value, sealed: seal({ place, value, nonce: randomBytes(SEALED_VALUE_NONCE_BYTES) }) };
    });
  }).flat();
  // Twice: those that were forgotten meanwhile are derived again.
  for (const { place, value, sealed } of [...written, ...written]) {
    assert.deepEqual(Buffer.from(open({ place, sealed }) ?? []), value);
    assert.equal(open({ place: Buffer.from('elsewhere'), sealed }), undefined);
  }
  const [{ place, sealed } = { place: Buffer.alloc(0), sealed: Buffer.alloc(0) }] = written;
  for (let i = 0; i < sealed.length; i++) {
    const altered = Uint8Array.from(sealed);
    altered[i] = (altered[i] ?? 0) ^ 0x10;
    assert.equal(open({ place, sealed: altered }), undefined, `byte ${i}`);
    assert.equal(open({ place, sealed: sealed.subarray(0, i) }), undefined, `cut to ${i}`);
  }
  assert.equal(createValueOpener(crypto, randomBytes(32))({ place, sealed }), undefined);
});

test('a sealed value with any byte altered, or cut, does not open', () => {
  const place = Buffer.from('here');
  const sealed = sealValue(crypto, key, {
    place,
    value: Buffer.from('value'),
    random: randomBytes(SEALED_VALUE_RANDOM_BYTES),
  });
  for (let i = 0; i < sealed.length; i++) {
    const altered = Uint8Array.from(sealed);
    altered[i] = (altered[i] ?? 0) ^ 0x10;
    assert.equal(openValue(crypto, key, { place, sealed: altered }), undefined, `byte ${i}`);
    assert.equal(openValue(crypto, key, { place, sealed: sealed.subarray(0, i) }), undefined, `cut to ${i}`);
  }
});

test('a record commitment is the documented hash', () => {
  const salt = randomBytes(32);
  const cid = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy' as Cid;
  const expected = createHash('sha256')
    .update(salt)
    .update(Buffer.from(recordId, 'hex'))
    .update(Buffer.from([0, 0, 0, 7]))
    .update(cid)
    .digest();
  assert.deepEqual(Buffer.from(recordCommitment({ salt, ...context, cid })), expected);
  assert.throws(() => recordCommitment({ salt: salt.subarray(1), ...context, cid }));
});

test('a destruction receipt is signed over canonical JSON without its signature', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const statement = {
    type: DESTRUCTION_RECEIPT_TYPE,
    nodeId,
    recordId,
    versions: [],
    destroyedAt: '2026-01-01T00:00:00.000Z',
    auditLeaf: 3,
  } as const;
  const signature = sign(null, destructionStatementBytes(statement), privateKey);
  const receipt = { signature: signature.toString('base64'), ...statement };
  assert.equal(verify(null, destructionStatementBytes(receipt), publicKey, signature), true);
  assert.equal(verify(null, destructionStatementBytes({ ...receipt, auditLeaf: 4 }), publicKey, signature), false);
});
