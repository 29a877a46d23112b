/**
 * A node's identity on the network: an Ed25519 key, its libp2p peer id (an identity multihash of the protobuf-encoded
 * public key, libp2p peer-ids specification), and the keys under which the contracts keep it.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { base58btc } from 'multiformats/bases/base58';
import type { Hex, PeerIdText } from '../brand.ts';
import { NectarError } from '../errors.ts';

/** Bytes of a peer id: identity multihash (2), protobuf key type and length (4), Ed25519 public key (32). */
export const PEER_ID_BYTES = 38;

const PREFIX = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
const MAX_TEXT_LENGTH = 52;

/** The peer id of an Ed25519 public key (32 bytes). */
export function peerIdOf(publicKey: Uint8Array): PeerIdText {
  return parsePeerId(Uint8Array.from([...PREFIX, ...publicKey]));
}

/** Text form of a peer id's 38 bytes. Throws NETWORK_PEER_ID_INVALID for anything but an Ed25519 identity. */
export function parsePeerId(bytes: Uint8Array): PeerIdText {
  if (bytes.length !== PEER_ID_BYTES) throw invalid(`${bytes.length} bytes, not ${PEER_ID_BYTES}`);
  if (!PREFIX.every((byte, index) => byte === bytes[index])) throw invalid('not an Ed25519 identity');
  return base58btc.baseEncode(bytes) as PeerIdText;
}

/** The 38 bytes of a peer id (what NodeRegistry.apply takes). Throws NETWORK_PEER_ID_INVALID. */
export function encodePeerId(text: string): Uint8Array {
  if (text.length > MAX_TEXT_LENGTH) throw invalid('longer than an Ed25519 identity');
  let bytes: Uint8Array;
  try {
    bytes = base58btc.baseDecode(text);
  } catch (cause) {
    throw invalid('not base58btc', cause);
  }
  if (parsePeerId(bytes) !== text) throw invalid('not the canonical text');
  return bytes;
}

/** True for the canonical text of an Ed25519 peer id. */
export function isPeerId(text: string): text is PeerIdText {
  try {
    encodePeerId(text);
    return true;
  } catch {
    return false;
  }
}

/** The Ed25519 public key of a peer id, 32 bytes. */
export function publicKeyOf(peerId: PeerIdText): Uint8Array {
  return encodePeerId(peerId).slice(PREFIX.length);
}

/** The contracts' `bytes32 peerHash` of a peer: AuditAnchor keeps its checkpoints under it. */
export function registryPeerHash(peerId: PeerIdText): Hex {
  return `0x${bytesToHex(keccak_256(encodePeerId(peerId)))}`;
}

/** NodeRegistry's `bytes32 nodeId`: the entry that this owner has for this peer. */
export function registryEntryId(peerId: PeerIdText, owner: Hex): Hex {
  const words = `${registryPeerHash(peerId).slice(2)}${owner.slice(2).toLowerCase().padStart(64, '0')}`;
  return `0x${bytesToHex(keccak_256(hexToBytes(words)))}`;
}

function invalid(problem: string, cause?: unknown): NectarError<'NETWORK_PEER_ID_INVALID'> {
  return new NectarError('NETWORK_PEER_ID_INVALID', { problem }, { cause });
}
