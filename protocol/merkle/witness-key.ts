import type { PeerIdText } from '../brand.ts';
import { encodePeerId, isPeerId } from '../network/node-identity.ts';
import { SIGNATURE_TYPE, type VerifierKey } from './verifier-key.ts';

const PREFIX = 'nectar.witness/';
const PUBLIC_KEY_AT = 6;

/**
 * The key by which a member cosigns checkpoints: the Ed25519 key that its peer id is made of. So whoever knows the registry of
 * members knows the keys of all witnesses, and no list of keys has to be handed around and believed.
 * What it signs begins with `cosignature/v1` (C2SP tlog-cosignature), which no message of libp2p's noise or identify does.
 */
export function witnessKeyOf(peerId: PeerIdText): VerifierKey {
  const publicKey = encodePeerId(peerId).slice(PUBLIC_KEY_AT);
  return { name: `${PREFIX}${peerId}`, type: SIGNATURE_TYPE.cosignature, publicKey };
}

/** The member that a witness's key name names; undefined for any other name. */
export function witnessOfName(name: string): PeerIdText | undefined {
  const peerId = name.slice(PREFIX.length);
  return name.startsWith(PREFIX) && isPeerId(peerId) ? peerId : undefined;
}
