/**
 * The block-exchange protocol. The opener sends one request:
 * - get: the answer is `block` or `refused`. Served only to the owner of the held block.
 * - hold: the opener offers blocks; the receiver answers `want` for each that it lacks, the opener sends `block` or
 *   `refused`, and in the end the receiver answers `done` (all durable) or `refused`.
 * - release: the receiver forgets the opener's blocks below the root and answers `done`.
 * Only ciphertext travels; who is owner is the peer id that the handshake proved, never a field of a message.
 * A message is one frame: a type byte, then fixed fields, so that each message has exactly one encoding.
 */
import type { Cid } from '../brand.ts';
import { CID_BYTES, encodeCid, parseCid } from './block-cid.ts';
import { ByteReader } from './byte-reader.ts';
import { MAX_BLOCK_BYTES } from './frame.ts';

/** Most CIDs in one hold request: half a GiB of 1 MiB blocks. A larger record takes several requests. */
export const MAX_HOLD_CIDS = 512;

/** Most exchanges that one peer has open with another at a time; a further stream is reset. */
export const MAX_EXCHANGES_PER_PEER = 4;

const COUNT_BYTES = 2;
/** Largest encoded request in bytes (a full hold). */
export const MAX_EXCHANGE_REQUEST_BYTES = 1 + CID_BYTES + COUNT_BYTES + MAX_HOLD_CIDS * CID_BYTES;
/** Largest encoded answer in bytes (a block). */
export const MAX_EXCHANGE_ANSWER_BYTES = 1 + MAX_BLOCK_BYTES;

const TYPE = { get: 0x01, hold: 0x02, release: 0x03, block: 0x11, want: 0x12, done: 0x13, refused: 0x14 } as const;

/** Why a peer refuses. `absent` also stands for "not yours": who may not have a block learns nothing about it. */
export const REFUSALS = ['absent', 'busy', 'quota', 'failed'] as const;
export type Refusal = (typeof REFUSALS)[number];

export type ExchangeRequest =
  | { readonly type: 'get'; readonly root: Cid; readonly cid: Cid }
  | { readonly type: 'hold'; readonly root: Cid; readonly cids: readonly Cid[] }
  | { readonly type: 'release'; readonly root: Cid };

export type ExchangeAnswer =
  | { readonly type: 'block'; readonly bytes: Uint8Array }
  | { readonly type: 'want'; readonly cid: Cid }
  | { readonly type: 'done' }
  | { readonly type: 'refused'; readonly reason: Refusal };

export function encodeExchangeRequest(request: ExchangeRequest): Uint8Array {
  const root = encodeCid(request.root);
  if (request.type === 'get') return concat([Uint8Array.of(TYPE.get), root, encodeCid(request.cid)]);
  if (request.type === 'release') return concat([Uint8Array.of(TYPE.release), root]);
  const count = Uint8Array.of(request.cids.length >> 8, request.cids.length & 0xff);
  return concat([Uint8Array.of(TYPE.hold), root, count, ...request.cids.map(encodeCid)]);
}

/** Throws NETWORK_MESSAGE_INVALID or NETWORK_CID_INVALID. */
export function parseExchangeRequest(bytes: Uint8Array): ExchangeRequest {
  const reader = new ByteReader(bytes, 'exchange request');
  const type = reader.u8();
  if (type !== TYPE.get && type !== TYPE.hold && type !== TYPE.release) throw reader.invalid('unknown type');
  const root = parseCid(reader.take(CID_BYTES));
  const request = parseRequestBody(type, root, reader);
  reader.end();
  return request;
}

function parseRequestBody(type: number, root: Cid, reader: ByteReader): ExchangeRequest {
  if (type === TYPE.get) return { type: 'get', root, cid: parseCid(reader.take(CID_BYTES)) };
  if (type === TYPE.release) return { type: 'release', root };
  const count = reader.u16();
  if (count < 1 || count > MAX_HOLD_CIDS) throw reader.invalid('count of blocks out of bounds');
  const cids: Cid[] = [];
  for (let index = 0; index < count; index += 1) cids.push(parseCid(reader.take(CID_BYTES)));
  if (new Set(cids).size !== count) throw reader.invalid('a block is named twice');
  return { type: 'hold', root, cids };
}

export function encodeExchangeAnswer(answer: ExchangeAnswer): Uint8Array {
  switch (answer.type) {
    case 'block':
      return concat([Uint8Array.of(TYPE.block), answer.bytes]);
    case 'want':
      return concat([Uint8Array.of(TYPE.want), encodeCid(answer.cid)]);
    case 'done':
      return Uint8Array.of(TYPE.done);
    case 'refused':
      return Uint8Array.of(TYPE.refused, REFUSALS.indexOf(answer.reason));
  }
}

/** Throws NETWORK_MESSAGE_INVALID or NETWORK_CID_INVALID. A block's bytes are a view of the frame. */
export function parseExchangeAnswer(bytes: Uint8Array): ExchangeAnswer {
  const reader = new ByteReader(bytes, 'exchange answer');
  const type = reader.u8();
  const answer = parseAnswerBody(type, reader);
  reader.end();
  return answer;
}

function parseAnswerBody(type: number, reader: ByteReader): ExchangeAnswer {
  if (type === TYPE.done) return { type: 'done' };
  if (type === TYPE.want) return { type: 'want', cid: parseCid(reader.take(CID_BYTES)) };
  if (type === TYPE.refused) {
    const reason = REFUSALS[reader.u8()];
    if (reason === undefined) throw reader.invalid('unknown reason');
    return { type: 'refused', reason };
  }
  if (type !== TYPE.block) throw reader.invalid('unknown type');
  const block = reader.rest();
  if (block.length > MAX_BLOCK_BYTES) throw reader.invalid('block larger than allowed');
  return { type: 'block', bytes: block };
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
