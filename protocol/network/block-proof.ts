/**
 * The proof protocol: one question, one answer. The owner of held blocks asks for a hash over a fresh nonce and a range of a block that
 * was drawn at random: an answer needs the bytes, and none can be made beforehand. That a peer once said `done` proves nothing.
 *
 * question  CID (36) | offset (4) | length (4) | nonce (32)
 * answer    type (1) and
 *             0x01 proof     SHA-256 of the domain, the question as sent, and the bytes of the range (32)
 *             0x02 refused   the reason (1)
 */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Cid } from '../brand.ts';
import { CID_BYTES, encodeCid, parseCid, type Sha256 } from './block-cid.ts';
import { ByteReader } from './byte-reader.ts';
import { MAX_BLOCK_BYTES } from './frame.ts';

export const PROOF_NONCE_BYTES = 32;
/** Most bytes of one range: enough that a holder keeps the block, few enough that an answer costs next to nothing. */
export const MAX_PROOF_RANGE_BYTES = 64 * 1024;
export const PROOF_QUESTION_BYTES = CID_BYTES + 8 + PROOF_NONCE_BYTES;
const PROOF_BYTES = 32;
export const MAX_PROOF_ANSWER_BYTES = 1 + PROOF_BYTES;

const DOMAIN = utf8ToBytes('nectar/block-proof/1');
const TYPE = { proof: 0x01, refused: 0x02 } as const;

/** `absent` also stands for "not yours", as in the block exchange. */
export const PROOF_REFUSALS = ['absent', 'busy'] as const;
export type ProofRefusal = (typeof PROOF_REFUSALS)[number];

export interface ProofQuestion {
  readonly cid: Cid;
  /** Bytes of the block [offset, offset + length). */
  readonly offset: number;
  readonly length: number;
  /** 32 bytes, drawn for this question. */
  readonly nonce: Uint8Array;
}

export type ProofAnswer =
  | { readonly type: 'proof'; readonly hash: Uint8Array }
  | { readonly type: 'refused'; readonly reason: ProofRefusal };

export function encodeProofQuestion({ cid, offset, length, nonce }: ProofQuestion): Uint8Array {
  const bytes = new Uint8Array(PROOF_QUESTION_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(encodeCid(cid));
  view.setUint32(CID_BYTES, offset);
  view.setUint32(CID_BYTES + 4, length);
  bytes.set(nonce, CID_BYTES + 8);
  return bytes;
}

/** Throws NETWORK_MESSAGE_INVALID or NETWORK_CID_INVALID. */
export function parseProofQuestion(bytes: Uint8Array): ProofQuestion {
  const reader = new ByteReader(bytes, 'proof question');
  const cid = parseCid(reader.take(CID_BYTES));
  const offset = reader.u16() * 0x10000 + reader.u16();
  const length = reader.u16() * 0x10000 + reader.u16();
  const nonce = reader.take(PROOF_NONCE_BYTES);
  reader.end();
  if (length < 1 || length > MAX_PROOF_RANGE_BYTES || offset + length > MAX_BLOCK_BYTES)
    throw reader.invalid('range out of bounds');
  return { cid, offset, length, nonce };
}

export function encodeProofAnswer(answer: ProofAnswer): Uint8Array {
  if (answer.type === 'refused') return Uint8Array.of(TYPE.refused, PROOF_REFUSALS.indexOf(answer.reason));
  const bytes = new Uint8Array(MAX_PROOF_ANSWER_BYTES);
  bytes[0] = TYPE.proof;
  bytes.set(answer.hash, 1);
  return bytes;
}

/** Throws NETWORK_MESSAGE_INVALID. */
export function parseProofAnswer(bytes: Uint8Array): ProofAnswer {
  const reader = new ByteReader(bytes, 'proof answer');
  const type = reader.u8();
  if (type === TYPE.proof) {
    const hash = reader.take(PROOF_BYTES);
    reader.end();
    return { type: 'proof', hash };
  }
  if (type !== TYPE.refused) throw reader.invalid('unknown type');
  const reason = PROOF_REFUSALS[reader.u8()];
  reader.end();
  if (reason === undefined) throw reader.invalid('unknown reason');
  return { type: 'refused', reason };
}

/** The hash that answers a question, from the whole block; undefined where the block has no such range. */
export function blockProof(question: ProofQuestion, block: Uint8Array, hash: Sha256): Uint8Array | undefined {
  const { offset, length } = question;
  if (offset + length > block.length) return undefined;
  const asked = encodeProofQuestion(question);
  const input = new Uint8Array(DOMAIN.length + asked.length + length);
  input.set(DOMAIN);
  input.set(asked, DOMAIN.length);
  input.set(block.subarray(offset, offset + length), DOMAIN.length + asked.length);
  return hash(input);
}
