import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import type { PeerIdText } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { peerIdOf } from '../../protocol/network/node-identity.ts';

const SEED_BYTES = 32;

/** The libp2p private key of a sealed identity: a 32-byte Ed25519 seed. Throws NETWORK_IDENTITY_INVALID. */
export async function openIdentityKey(seed: Uint8Array): Promise<PrivateKey> {
  if (seed.length !== SEED_BYTES) throw new NectarError('NETWORK_IDENTITY_INVALID', { bytes: seed.length });
  return await generateKeyPairFromSeed('Ed25519', seed);
}

/** The peer id that a node with this identity seed has: what `init` writes to identity/public.json. */
export async function peerIdOfSeed(seed: Uint8Array): Promise<PeerIdText> {
  const key = await openIdentityKey(seed);
  return peerIdOf(key.publicKey.raw);
}
