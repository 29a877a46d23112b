import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodeEnvelopeCrypto as crypto } from '../../../../appliance/keys/index.ts';
import {
  blobBytes,
  encodeHeader,
  FIRST_SEGMENT_PLAINTEXT_BYTES,
  HEADER_BYTES,
  parseHeader,
  plaintextBytes,
  SEGMENT_BYTES,
  SEGMENT_PLAINTEXT_BYTES,
  segmentAt,
  segmentCount,
  segmentSlices,
  segmentStart,
} from '../../../../protocol/envelope/format.ts';
import { createOpener, createSealer } from '../../../../protocol/envelope/stream.ts';

interface TinkVectors {
  readonly dek: string;
  readonly aad: string;
  readonly vectors: readonly {
    readonly plaintextBytes: number;
    readonly header: string;
    readonly ciphertextBytes: number;
    readonly ciphertextSha256: string;
    readonly ciphertext?: string;
  }[];
}

const tink = JSON.parse(readFileSync('test/vectors/tink-aes256-gcm-hkdf-1mb.json', 'utf8')) as TinkVectors;
const secret = { dek: Buffer.from(tink.dek, 'hex'), aad: Buffer.from(tink.aad, 'hex') };

function patterned(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);
}

function seal(plaintext: Uint8Array, header: Uint8Array, with_ = secret): Uint8Array[] {
  const parsed = parseHeader(header);
  assert(parsed);
  const sealer = createSealer(crypto, with_, parsed);
  const count = segmentCount(plaintext.length);
  return Array.from({ length: count }, (_, i) =>
    sealer.seal(plaintext.subarray(segmentStart(i), segmentStart(i + 1)), i === count - 1),
  );
}

function open(blob: Uint8Array, with_ = secret): Uint8Array | undefined {
  const opener = createOpener(crypto, with_, blob);
  if (opener === undefined) return undefined;
  const count = Math.max(1, Math.ceil(blob.length / SEGMENT_BYTES));
  const parts: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const part = opener.open(blob.subarray(i * SEGMENT_BYTES, (i + 1) * SEGMENT_BYTES), i, i === count - 1);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const HEADER = encodeHeader({ salt: randomBytes(32), noncePrefix: randomBytes(7) });

for (const vector of tink.vectors) {
  test(`seals ${vector.plaintextBytes} bytes exactly as Tink did`, () => {
    const blob = Buffer.concat(seal(patterned(vector.plaintextBytes), Buffer.from(vector.header, 'hex')));
    assert.equal(blob.length, vector.ciphertextBytes);
    assert.equal(createHash('sha256').update(blob).digest('hex'), vector.ciphertextSha256);
    if (vector.ciphertext !== undefined) assert.equal(blob.toString('hex'), vector.ciphertext);
  });
}

test('opens what Tink sealed', () => {
  const kept = tink.vectors.filter((vector) => vector.ciphertext !== undefined);
  assert(kept.length >= 4);
  for (const vector of kept) {
    assert.deepEqual(open(Buffer.from(vector.ciphertext ?? '', 'hex')), Buffer.from(patterned(vector.plaintextBytes)));
  }
});

test('rejects a blob with any byte altered', () => {
  const blob = Buffer.concat(seal(patterned(100), HEADER));
  for (let i = 0; i < blob.length; i++) {
    for (const flip of [0x01, 0x80]) {
      const altered = Buffer.from(blob);
      altered[i] = (altered[i] ?? 0) ^ flip;
      assert.equal(open(altered), undefined, `byte ${i}`);
    }
  }
});

test('rejects a blob cut or extended at any place', () => {
  const blob = Buffer.concat(seal(patterned(64), HEADER));
  for (let length = 0; length < blob.length; length++)
    assert.equal(open(blob.subarray(0, length)), undefined, `cut to ${length}`);
  for (const extra of [1, 16, 17]) assert.equal(open(Buffer.concat([blob, Buffer.alloc(extra)])), undefined);
});

test('rejects segments reordered, dropped, repeated or swapped between blobs', () => {
  const plaintext = patterned(SEGMENT_BYTES * 3);
  const segments = seal(plaintext, HEADER);
  const [a, b, c, d] = segments as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  assert.equal(segments.length, 4);
  assert.deepEqual(open(Buffer.concat([a, b, c, d])), Buffer.from(plaintext));
  assert.equal(open(Buffer.concat([a, c, b, d])), undefined);
  assert.equal(open(Buffer.concat([a, b, d])), undefined);
  assert.equal(open(Buffer.concat([a, b, c])), undefined);
  assert.equal(open(Buffer.concat([a, b, b, d])), undefined);
  const other = seal(plaintext, encodeHeader({ salt: randomBytes(32), noncePrefix: randomBytes(7) }));
  assert.equal(open(Buffer.concat([a, other[1] ?? a, c, d])), undefined);
});

test('rejects another key and other associated data', () => {
  const blob = Buffer.concat(seal(patterned(10), HEADER));
  assert.equal(open(blob, { ...secret, dek: randomBytes(32) }), undefined);
  assert.equal(open(blob, { ...secret, aad: Buffer.concat([secret.aad, Buffer.alloc(1)]) }), undefined);
});

test('refuses to seal out of order: short middle, empty later, past the end', () => {
  const header = parseHeader(HEADER);
  assert(header);
  assert.throws(() => createSealer(crypto, secret, header).seal(patterned(5), false), RangeError);
  const ended = createSealer(crypto, secret, header);
  ended.seal(patterned(5), true);
  assert.throws(() => ended.seal(patterned(5), true), RangeError);
  const full = createSealer(crypto, secret, header);
  full.seal(new Uint8Array(FIRST_SEGMENT_PLAINTEXT_BYTES), false);
  assert.throws(() => full.seal(new Uint8Array(0), true), RangeError);
  assert.throws(() => createSealer(crypto, secret, header).seal(new Uint8Array(SEGMENT_BYTES), true), RangeError);
});

test('geometry: sizes, offsets and slices agree for any length and range', () => {
  const edges = [
    0,
    1,
    FIRST_SEGMENT_PLAINTEXT_BYTES,
    SEGMENT_PLAINTEXT_BYTES,
    FIRST_SEGMENT_PLAINTEXT_BYTES + SEGMENT_PLAINTEXT_BYTES,
  ];
  const total = fc.oneof(
    fc.nat(2 ** 40),
    fc.constantFrom(...edges).chain((e) => fc.integer({ min: -2, max: 2 }).map((d) => Math.max(0, e + d))),
  );
  fc.assert(
    fc.property(total, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(3 * SEGMENT_BYTES), (bytes, at, length) => {
      assert.equal(plaintextBytes(blobBytes(bytes)), bytes);
      const start = Math.floor(at * bytes);
      const end = Math.min(bytes, start + length);
      let covered = start;
      for (const slice of segmentSlices(bytes, start, end)) {
        assert.equal(segmentStart(slice.segment) + slice.from, Math.min(covered, end));
        assert.equal(slice.last, slice.segment === segmentCount(bytes) - 1);
        covered = segmentStart(slice.segment) + slice.to;
        if (slice.to > slice.from) assert.equal(segmentAt(segmentStart(slice.segment) + slice.from), slice.segment);
      }
      assert.equal(covered, end);
    }),
  );
  assert.equal(plaintextBytes(HEADER_BYTES), undefined);
  assert.equal(plaintextBytes(SEGMENT_BYTES + 1), undefined);
  assert.equal(plaintextBytes(SEGMENT_BYTES + 16), undefined);
});
