import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { keccak256 } from 'ethers';
import fc from 'fast-check';
import { isNectarError } from '../../../../protocol/errors.ts';
import {
  encodePeerId,
  isPeerId,
  parsePeerId,
  peerIdOf,
  registryPeerHash,
} from '../../../../protocol/network/node-identity.ts';

test('a peer id is the one that libp2p derives, and the registry key its keccak256', async () => {
  for (const fill of [0, 1, 255]) {
    const key = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(fill));
    const expected = peerIdFromPrivateKey(key);
    const peerId = peerIdOf(key.publicKey.raw);
    assert.equal(peerId, expected.toString());
    assert.deepEqual(encodePeerId(peerId), expected.toMultihash().bytes);
    assert.equal(registryPeerHash(peerId), keccak256(expected.toMultihash().bytes));
  }
});

test('every other text and every other kind of key is refused', () => {
  const peerId = peerIdOf(new Uint8Array(32).fill(9));
  for (const text of [
    '',
    `${peerId}1`,
    `1${peerId}`,
    peerId.toLowerCase(),
    'QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN',
    '0'.repeat(52),
    '1'.repeat(99),
  ]) {
    assert.equal(isPeerId(text), false, text);
    assert.throws(
      () => encodePeerId(text),
      (error: unknown) => isNectarError(error, 'NETWORK_PEER_ID_INVALID'),
    );
  }
  assert.throws(() => parsePeerId(new Uint8Array(38)));
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => assert.equal(isPeerId(text), false)));
});
