/**
 * The statement by which a peer's key names who may register it: an Ed25519 signature (RFC 8032) over
 *
 *     "nectar/node-statement/v1\n" | chain id of L2, 8 bytes big endian | owner, 20 bytes | operator, 20 bytes
 *
 * The NodeRegistry keeps it and cannot check it; auditors and nodes do. Adversary: whoever applies with another's peer id.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Hex, PeerIdText } from '../brand.ts';
import { publicKeyOf } from './node-identity.ts';

/** Who may register and operate a peer on which chain. */
export interface NodeStatement {
  readonly l2ChainId: bigint;
  readonly owner: Hex;
  readonly operator: Hex;
}

const DOMAIN = utf8ToBytes('nectar/node-statement/v1\n');

function signedBytes({ l2ChainId, owner, operator }: NodeStatement): Uint8Array {
  const chain = hexToBytes(l2ChainId.toString(16).padStart(16, '0'));
  return concatBytes(DOMAIN, chain, hexToBytes(owner.slice(2)), hexToBytes(operator.slice(2)));
}

/** Signs with the peer's secret key (32-byte seed); 64 bytes. */
export function signNodeStatement(statement: NodeStatement, seed: Uint8Array): Hex {
  return `0x${bytesToHex(ed25519.sign(signedBytes(statement), seed))}`;
}

/** Whether the peer's key signed the statement. Never throws: the signature comes from anyone. */
export function isStatementOf(peerId: PeerIdText, statement: NodeStatement, signature: Hex): boolean {
  try {
    const bytes = hexToBytes(signature.slice(2));
    return ed25519.verify(bytes, signedBytes(statement), publicKeyOf(peerId), { zip215: false });
  } catch {
    return false;
  }
}
