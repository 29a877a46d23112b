import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { computeAddress, hexlify } from 'ethers';
import type { PublicIdentity } from '../../../appliance/config/index.ts';
import type { Keys } from '../../../appliance/keys/index.ts';
import { peerIdOfSeed } from '../../../appliance/p2p/identity.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { encodeVerifierKey, SIGNATURE_TYPE } from '../../../protocol/merkle/verifier-key.ts';

/**
 * The names under which `keys` seals the node's identities (HOME/identity/NAME.sealed): p2p is a 32-byte Ed25519 seed, operator
 * a 32-byte secp256k1 key, checkpoint and token are Ed25519 keys and tls-ca a P-256 key as PKCS#8 DER.
 */
export const IDENTITIES = {
  p2p: 'p2p',
  operator: 'operator',
  checkpoint: 'checkpoint',
  token: 'token',
  tlsCa: 'tls-ca',
} as const;

/** Origin and key name of the node's checkpoints. */
export function checkpointOrigin(nodeId: string): string {
  return `nectar-byon/${nodeId}`;
}

/** Makes the node's key pairs and seals their secret halves; the token key comes back for the first token, to be wiped. */
export async function createIdentities(
  keys: Keys,
  nodeId: string,
): Promise<{ identity: PublicIdentity; tokenKey: Uint8Array }> {
  const p2p = randomBytes(32);
  const operator = randomBytes(32);
  const checkpoint = generateKeyPairSync('ed25519');
  const token = generateKeyPairSync('ed25519');
  const checkpointPublic = Buffer.from(checkpoint.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const tokenKey = token.privateKey.export({ format: 'der', type: 'pkcs8' });
  const checkpointKey = checkpoint.privateKey.export({ format: 'der', type: 'pkcs8' });
  const identity: PublicIdentity = {
    nodeId,
    peerId: await peerIdOfSeed(p2p),
    operator: computeAddress(hexlify(operator)).toLowerCase() as Hex,
    checkpointVkey: encodeVerifierKey({
      name: checkpointOrigin(nodeId),
      type: SIGNATURE_TYPE.ed25519,
      publicKey: checkpointPublic,
    }),
    tokenJwk: { kty: 'OKP', crv: 'Ed25519', x: token.publicKey.export({ format: 'jwk' }).x ?? '' },
  };
  await keys.sealIdentity(IDENTITIES.p2p, p2p);
  await keys.sealIdentity(IDENTITIES.operator, operator);
  await keys.sealIdentity(IDENTITIES.checkpoint, checkpointKey);
  await keys.sealIdentity(IDENTITIES.token, tokenKey);
  for (const secret of [p2p, operator, checkpointKey]) secret.fill(0);
  return { identity, tokenKey };
}
