import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { Transaction, Wallet } from 'ethers';
import { createKzgThread, versionedHashOf } from '../../../../../appliance/rollup/blobs/kzg-thread.ts';
import { BLOB_BYTES, encodeBlobs } from '../../../../../protocol/rollup/blob-batch.ts';

const kzg = createKzgThread('kzg-worker');
after(() => kzg.end());

test('the versioned hash of a blob is that of its KZG commitment', async () => {
  // consensus-spec-tests, blob_to_kzg_commitment: the blob of zeros; EIP-4844 names its versioned hash.
  assert.equal(
    await kzg.versionedHash(new Uint8Array(BLOB_BYTES)),
    '0x010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014',
  );
  const [blob] = encodeBlobs(randomBytes(60));
  assert.ok(blob);
  const honest = await kzg.versionedHash(blob);
  blob[40] = (blob[40] ?? 0) ^ 1;
  assert.notEqual(await kzg.versionedHash(blob), honest);
});

test('bytes that are no blob have no versioned hash', async () => {
  assert.equal(await kzg.versionedHash(new Uint8Array(BLOB_BYTES - 1)), undefined);
  assert.equal(await kzg.versionedHash(new Uint8Array(BLOB_BYTES).fill(0xff)), undefined, 'above the modulus');
});

test('a proven blob is one that a transaction of type 3 carries', async () => {
  const [blob] = encodeBlobs(randomBytes(60));
  assert.ok(blob);
  const proven = await kzg.prove(blob, 'blob');
  assert.equal(proven.versionedHash, await kzg.versionedHash(blob));
  assert.equal(proven.versionedHash, versionedHashOf(proven.commitment));
  assert.equal(proven.proofs.length, 1);
  const tx = Transaction.from({ type: 3, chainId: 1, to: Wallet.createRandom().address, maxFeePerBlobGas: 1n });
  tx.blobs = [{ data: proven.blob, commitment: proven.commitment, proof: proven.proofs[0] ?? '' }] as never;
  assert.deepEqual(tx.blobVersionedHashes, [proven.versionedHash]);
});

test('a thread that was ended starts anew with the next blob', async () => {
  const again = createKzgThread('kzg-worker');
  await again.versionedHash(new Uint8Array(BLOB_BYTES));
  const lost = again.prove(new Uint8Array(BLOB_BYTES), 'blob');
  await Promise.all([assert.rejects(lost, /ended/), again.end()]);
  assert.match(String(await again.versionedHash(new Uint8Array(BLOB_BYTES))), /^0x01/);
  await again.end();
});
