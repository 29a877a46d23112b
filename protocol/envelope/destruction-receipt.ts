/** The signed statement that a record's keys were destroyed: evidence for the owner, checkable without the node. */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import canonicalize from 'canonicalize';
import type { Cid, RecordId } from '../brand.ts';

export const DESTRUCTION_RECEIPT_TYPE = 'nectar/destruction-receipt/1';

/**
 * What is signed: the wrapped keys are out of the index, and the node opens no copy from `destroyedAt` on. It does not say that the
 * bytes have left the node's files: they do so in the moments after, and the node's status says when. Times are ISO 8601 UTC;
 * `auditLeaf` is the index of the record.delete leaf.
 */
export interface DestructionStatement {
  readonly type: typeof DESTRUCTION_RECEIPT_TYPE;
  readonly nodeId: string;
  readonly recordId: RecordId;
  readonly versions: readonly { readonly version: number; readonly cid: Cid }[];
  readonly destroyedAt: string;
  readonly auditLeaf: number;
}

export interface DestructionReceipt extends DestructionStatement {
  /** Over destructionStatementBytes, base64; the node's checkpoint signer (Ed25519). */
  readonly signature: string;
}

/** The signed bytes: canonical JSON (RFC 8785) of the statement alone, signature and unknown fields left out. */
export function destructionStatementBytes(statement: DestructionStatement): Uint8Array {
  const { type, nodeId, recordId, versions, destroyedAt, auditLeaf } = statement;
  const json = canonicalize({ type, nodeId, recordId, versions, destroyedAt, auditLeaf });
  if (json === undefined) throw new TypeError('destruction statement has no JSON form');
  return utf8ToBytes(json);
}
