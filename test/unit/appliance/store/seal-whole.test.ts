import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { nodeEnvelopeCrypto as crypto } from '../../../../appliance/node-envelope-crypto.ts';
import { rawCid, rawCidText } from '../../../../appliance/store/cid.ts';
import { sealStream, sealWhole } from '../../../../appliance/store/seal-stream.ts';
import { WholeBody } from '../../../../appliance/whole-body.ts';
import { isNectarError } from '../../../../protocol/errors.ts';

const secret = { dek: randomBytes(32), aad: randomBytes(40) };
const limits = { secret, maxBytes: 100_000, inlineMaxBytes: 65_536 };
/** The same bytes in the same order for whoever asks. */
function counted(): (length: number) => Uint8Array {
  let count = 0;
  return (length) => {
    const hash = createHash('shake256', { outputLength: length });
    return Uint8Array.from(hash.update(String(count++)).digest());
  };
}

/** Cuts bytes into pieces of a size. */
function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

test('makes of a body that is here the very blob that its stream becomes', async () => {
  for (const length of [0, 1, 4_096, 40_000, 65_536 - 56]) {
    for (const size of [1_000, 1_000_000]) {
      const body = new WholeBody(pieces(randomBytes(length), size));
      const blob = sealWhole(body, limits, { crypto, randomBytes: counted() });
      const streamed = await sealStream(
        { ...limits, body, signals: [], emit: () => assert.fail('it is one block') },
        { crypto, randomBytes: counted(), hashes: { sha256: (block) => createHash('sha256').update(block).digest() } },
      );
      assert.deepEqual(
        { ...blob, inline: Buffer.from(blob?.inline ?? []) },
        { ...streamed, inline: Buffer.from(streamed.inline ?? []) },
      );
    }
  }
});

test('leaves what is more than one small block to the stream, and refuses what is too large', () => {
  const deps = { crypto, randomBytes: counted() };
  const bodyOf = (length: number): WholeBody => new WholeBody([new Uint8Array(length)]);
  assert.equal(sealWhole(bodyOf(65_536 - 55), limits, deps), undefined);
  assert.throws(
    () => sealWhole(bodyOf(100_001), limits, deps),
    (error) => isNectarError(error, 'STORE_RECORD_TOO_LARGE'),
  );
});

test('leaves the bytes of its caller as they are', () => {
  const chunks = [Buffer.from('one '), Buffer.from('two')];
  sealWhole(new WholeBody(chunks), limits, { crypto, randomBytes });
  assert.equal(Buffer.concat(chunks).toString(), 'one two');
});

test('names a block as its CID does', () => {
  for (let i = 0; i < 200; i++) {
    const bytes = randomBytes(i);
    assert.equal(rawCidText(createHash('sha256').update(bytes).digest()), rawCid(bytes).toString());
  }
});
