import { createECDH, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Hex } from '../../protocol/brand.ts';
import { encodeVerifierKey, SIGNATURE_TYPE } from '../../protocol/merkle/verifier-key.ts';
import { peerIdOf } from '../../protocol/network/node-identity.ts';
import { addressOfKey } from '../../protocol/rollup/key-address.ts';
import type { Keys } from './interfaces.ts';

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

/** RFC 8410, 7: what comes before the 32 bytes of an Ed25519 seed in PKCS#8. */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Origin and key name of the node's checkpoints. */
function checkpointOrigin(nodeId: string): string {
  return `nectar-byon/${nodeId}`;
}

/** The public halves. */
export interface MadeIdentity {
  readonly nodeId: string;
  readonly peerId: string;
  readonly operator: Hex;
  readonly checkpointVkey: string;
  readonly tokenJwk: { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string };
}

/** Makes the node's key pairs and seals their secret halves; the token key comes back for the first token, to be wiped. */
export async function createIdentities(
  keys: Pick<Keys, 'sealIdentity'>,
  nodeId: string,
): Promise<{ identity: MadeIdentity; tokenKey: Uint8Array }> {
  const p2p = randomBytes(32);
  const operator = randomBytes(32);
  const checkpoint = generateKeyPairSync('ed25519');
  const token = generateKeyPairSync('ed25519');
  const checkpointPublic = Buffer.from(checkpoint.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const tokenKey = token.privateKey.export({ format: 'der', type: 'pkcs8' });
  const checkpointKey = checkpoint.privateKey.export({ format: 'der', type: 'pkcs8' });
  const identity: MadeIdentity = {
    nodeId,
    peerId: peerIdOf(publicKeyOfSeed(p2p)),
    operator: addressOf(operator),
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

function publicKeyOfSeed(seed: Uint8Array): Uint8Array {
  const der = Buffer.concat([ED25519_PKCS8, seed]);
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  der.fill(0);
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
}

function addressOf(key: Uint8Array): Hex {
  const pair = createECDH('secp256k1');
  pair.setPrivateKey(key);
  return `0x${Buffer.from(addressOfKey(pair.getPublicKey().subarray(1))).toString('hex')}`;
}
