/**
 * The release protocol: one request, one answer. The owner of held blobs says that they need not be kept; the holder takes their blocks
 * away and signs that it did.
 *
 * request  nonce (32) | count (2) | root (36) each
 * answer   type (1) and
 *            0x01 released  epoch (4) | bytes (8) | Ed25519 signature of the holder's peer key (64)
 *            0x02 refused   the reason (1)
 *
 * The signature is over the domain, the L2 chain id (8), owner and holder (38 each), the request as sent, epoch and bytes. It shows what the
 * holder said, never that no copy is left: a dishonest holder keeps ciphertext for as long as it likes.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Cid, PeerIdText } from '../brand.ts';
import { CID_BYTES, encodeCid, parseCid } from './block-cid.ts';
import { ByteReader } from './byte-reader.ts';
import { encodePeerId, publicKeyOf } from './node-identity.ts';

/** Most blobs of one request. */
export const MAX_RELEASE_ROOTS = 64;
export const RELEASE_NONCE_BYTES = 32;
const COUNT_BYTES = 2;
const SIGNATURE_BYTES = 64;
/** Largest encoded request and answer, in bytes. */
export const MAX_RELEASE_REQUEST_BYTES = RELEASE_NONCE_BYTES + COUNT_BYTES + MAX_RELEASE_ROOTS * CID_BYTES;
export const MAX_RELEASE_ANSWER_BYTES = 1 + 4 + 8 + SIGNATURE_BYTES;

const DOMAIN = utf8ToBytes('nectar/release-receipt/1\n');
const TYPE = { released: 0x01, refused: 0x02 } as const;
const DAY_SECONDS = 86_400;

export const RELEASE_REFUSALS = ['busy', 'failed'] as const;
export type ReleaseRefusal = (typeof RELEASE_REFUSALS)[number];

export interface ReleaseRequest {
  /** 32 bytes, drawn for this request: an old receipt answers no new one. */
  readonly nonce: Uint8Array;
  /** 1 to MAX_RELEASE_ROOTS, none twice. */
  readonly roots: readonly Cid[];
}

export interface ReleaseReceipt {
  /** Days since 1970 (UTC) by the holder's clock. */
  readonly epoch: number;
  /** Ciphertext that went with these roots; 0 where nothing was there any more. */
  readonly bytes: number;
  /** Ed25519, 64 bytes. */
  readonly signature: Uint8Array;
}

export type ReleaseAnswer =
  | ({ readonly type: 'released' } & ReleaseReceipt)
  | { readonly type: 'refused'; readonly reason: ReleaseRefusal };

/** Between whom, and on which network. */
export interface ReleaseParties {
  readonly l2ChainId: bigint;
  readonly owner: PeerIdText;
  readonly holder: PeerIdText;
}

export function releaseEpoch(milliseconds: number): number {
  return Math.floor(milliseconds / 1000 / DAY_SECONDS);
}

export function encodeReleaseRequest({ nonce, roots }: ReleaseRequest): Uint8Array {
  const count = Uint8Array.of(roots.length >> 8, roots.length & 0xff);
  return concatBytes(nonce, count, ...roots.map(encodeCid));
}

/** Throws NETWORK_MESSAGE_INVALID or NETWORK_CID_INVALID. */
export function parseReleaseRequest(bytes: Uint8Array): ReleaseRequest {
  const reader = new ByteReader(bytes, 'release request');
  const nonce = Uint8Array.from(reader.take(RELEASE_NONCE_BYTES));
  const count = reader.u16();
  if (count < 1 || count > MAX_RELEASE_ROOTS) throw reader.invalid('count of roots out of bounds');
  const roots = Array.from({ length: count }, () => parseCid(reader.take(CID_BYTES)));
  reader.end();
  if (new Set(roots).size !== count) throw reader.invalid('a root is named twice');
  return { nonce, roots };
}

export function encodeReleaseAnswer(answer: ReleaseAnswer): Uint8Array {
  if (answer.type === 'refused') return Uint8Array.of(TYPE.refused, RELEASE_REFUSALS.indexOf(answer.reason));
  return concatBytes(Uint8Array.of(TYPE.released), stated(answer), answer.signature);
}

/** Throws NETWORK_MESSAGE_INVALID. Verifies nothing. */
export function parseReleaseAnswer(bytes: Uint8Array): ReleaseAnswer {
  const reader = new ByteReader(bytes, 'release answer');
  const type = reader.u8();
  if (type === TYPE.released) {
    const epoch = reader.u16() * 0x10000 + reader.u16();
    const freed = reader.u64();
    const signature = Uint8Array.from(reader.take(SIGNATURE_BYTES));
    reader.end();
    if (freed > BigInt(Number.MAX_SAFE_INTEGER)) throw reader.invalid('bytes out of bounds');
    return { type: 'released', epoch, bytes: Number(freed), signature };
  }
  if (type !== TYPE.refused) throw reader.invalid('unknown type');
  const reason = RELEASE_REFUSALS[reader.u8()];
  reader.end();
  if (reason === undefined) throw reader.invalid('unknown reason');
  return { type: 'refused', reason };
}

/** What the holder signs. */
export function releaseReceiptBytes(
  parties: ReleaseParties,
  request: ReleaseRequest,
  said: Pick<ReleaseReceipt, 'epoch' | 'bytes'>,
): Uint8Array {
  const chain = new Uint8Array(8);
  new DataView(chain.buffer).setBigUint64(0, parties.l2ChainId);
  const [owner, holder] = [encodePeerId(parties.owner), encodePeerId(parties.holder)];
  return concatBytes(DOMAIN, chain, owner, holder, encodeReleaseRequest(request), stated(said));
}

/** Whether the holder's peer key signed this receipt for this request. Never throws: the receipt comes from anyone. */
export function isReleaseReceipt(parties: ReleaseParties, request: ReleaseRequest, receipt: ReleaseReceipt): boolean {
  try {
    const signed = releaseReceiptBytes(parties, request, receipt);
    return ed25519.verify(receipt.signature, signed, publicKeyOf(parties.holder), { zip215: false });
  } catch {
    return false;
  }
}

function stated({ epoch, bytes }: Pick<ReleaseReceipt, 'epoch' | 'bytes'>): Uint8Array {
  const encoded = new Uint8Array(12);
  const view = new DataView(encoded.buffer);
  view.setUint32(0, epoch);
  view.setBigUint64(4, BigInt(bytes));
  return encoded;
}
