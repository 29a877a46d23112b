/**
 * The signed unsafe block, as the sequencer gossips it before it is on L1.
 *
 *     envelope  = version (1 byte, 1) | signature (65 bytes: r, s, recovery) | block (Ethereum's RLP)
 *     signed    = keccak256("nectar unsafe block v1" | chain id (32 bytes, big endian) | block hash)
 *
 * The header commits to everything: transactions, deposits, L1 origin (hash in `mixHash`, number and count of delayed messages
 * in `extraData`). A signature proves who announced the block, not that it is right: that takes execution, and L1.
 */
import { type Block, type BlockHeader, createBlockFromRLP } from '@ethereumjs/block';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Hex } from '../brand.ts';
import { NectarError } from '../errors.ts';
import { type BlockInput, type OriginCursor, originHash, parseOrigin } from './block-input.ts';
import { bytesToHex, hexToBytes } from './bytes.ts';
import { addressOfKey } from './key-address.ts';
import { orderedRoot } from './ordered-root.ts';
import type { Rules } from './rules.ts';

/** The largest envelope that is ever parsed, in bytes. */
export const MAX_UNSAFE_BLOCK_BYTES = 4 << 20;

const VERSION = 1;
const SIGNATURE_BYTES = 65;
const BLOCK_AT = 1 + SIGNATURE_BYTES;
const DOMAIN = utf8ToBytes('nectar unsafe block v1');

export interface UnsafeBlock {
  readonly hash: Hex;
  /** 65 bytes: r, s, recovery. Nobody's until it is verified. */
  readonly signature: Uint8Array;
  readonly block: Block;
  readonly l1Origin: { readonly number: bigint; readonly hash: Hex };
  /** Delayed messages consumed from the chain's first block up to this one. */
  readonly delayedMessages: bigint;
}

/** What the sequencer signs for a block hash, 32 bytes. */
function digest(hash: Hex, chainId: bigint): Uint8Array {
  return keccak_256(concatBytes(DOMAIN, hexToBytes(`0x${chainId.toString(16).padStart(64, '0')}`), hexToBytes(hash)));
}

/** Signs a block with the sequencer's secp256k1 key (32 bytes; RFC 6979, so the same block gives the same envelope). */
export function encodeUnsafeBlock(block: Block, signer: { chainId: bigint; key: Uint8Array }): Uint8Array {
  const message = digest(bytesToHex(block.hash()), signer.chainId);
  const signed = secp256k1.sign(message, signer.key, { prehash: false, format: 'recovered' });
  const [recovery, ...rs] = signed;
  return concatBytes(Uint8Array.of(VERSION, ...rs, recovery ?? 0), block.serialize());
}

function refuse(reason: string, cause?: unknown): NectarError {
  return new NectarError('ROLLUP_UNSAFE_BLOCK_INVALID', { reason }, { cause });
}

function parseBlock(rlp: Uint8Array, rules: Rules): Block {
  let block: Block;
  try {
    block = createBlockFromRLP(rlp, { common: rules });
  } catch (cause) {
    throw refuse('not a block', cause);
  }
  // One block has one encoding: otherwise a peer could flood the network with copies that differ in nothing.
  if (bytesToHex(block.serialize()) !== bytesToHex(rlp)) throw refuse('not in canonical form');
  return block;
}

/** Parses an envelope from anyone: its size, then its shape. Says nothing about who signed it. Throws ROLLUP_UNSAFE_BLOCK_INVALID. */
export function parseUnsafeBlock(envelope: Uint8Array, rules: Rules): UnsafeBlock {
  if (envelope.length > MAX_UNSAFE_BLOCK_BYTES) throw refuse('too large');
  if (envelope.length <= BLOCK_AT || envelope[0] !== VERSION) throw refuse('not an envelope of this version');
  const block = parseBlock(envelope.subarray(BLOCK_AT), rules);
  const { number, delayedMessages } = readCursor(block.header);
  return {
    hash: bytesToHex(block.hash()),
    signature: envelope.slice(1, BLOCK_AT),
    block,
    l1Origin: { number, hash: originHash(block.header) },
    delayedMessages,
  };
}

function readCursor(header: BlockHeader): OriginCursor {
  try {
    return parseOrigin(header);
  } catch (cause) {
    throw refuse('no origin cursor', cause);
  }
}

function recoverSigner(signature: Uint8Array, message: Uint8Array): Hex {
  const recovery = signature[SIGNATURE_BYTES - 1] ?? 0;
  const ordered = concatBytes(Uint8Array.of(recovery), signature.subarray(0, SIGNATURE_BYTES - 1));
  try {
    const key = secp256k1.recoverPublicKey(ordered, message, { prehash: false });
    return bytesToHex(addressOfKey(secp256k1.Point.fromBytes(key).toBytes(false).subarray(1)));
  } catch (cause) {
    throw refuse('no valid signature', cause);
  }
}

export interface UnsafeBlockTrust {
  readonly chainId: bigint;
  /** Address of the key that signs unsafe blocks. */
  readonly sequencer: Hex;
  readonly rules: Rules;
}

/**
 * Verifies an envelope: size, shape, the sequencer's signature, and that the header commits to the body. Throws
 * ROLLUP_UNSAFE_BLOCK_INVALID or returns the block.
 */
export async function verifyUnsafeBlock(envelope: Uint8Array, trust: UnsafeBlockTrust): Promise<UnsafeBlock> {
  return verifyParsedBlock(parseUnsafeBlock(envelope, trust.rules), trust);
}

/** The same of an envelope that was parsed: its signature, and that the header commits to the body. */
export async function verifyParsedBlock(
  unsafe: UnsafeBlock,
  { chainId, sequencer, rules }: UnsafeBlockTrust,
): Promise<UnsafeBlock> {
  const signer = recoverSigner(unsafe.signature, digest(unsafe.hash, chainId));
  if (signer !== sequencer.toLowerCase()) throw refuse('not signed by the sequencer');
  const { block } = unsafe;
  const root = orderedRoot(
    block.transactions.map((tx) => tx.serialize()),
    rules,
  );
  if (bytesToHex(root) !== bytesToHex(block.header.transactionsTrie))
    throw refuse('transactions differ from the header');
  if (!(await block.withdrawalsTrieIsValid())) throw refuse('deposits differ from the header');
  return unsafe;
}

const GWEI = 1_000_000_000n;

/** The input that gives `block` when it follows `previous`: for executing an unsafe block again. Throws ROLLUP_BLOCK_INPUT_INVALID. */
export function inputOfBlock(block: Block, previous: BlockHeader): BlockInput {
  const { header } = block;
  const cursor = parseOrigin(header);
  return {
    timestamp: header.timestamp,
    l1Origin: { number: cursor.number, hash: originHash(header) },
    delayedMessages: Number(cursor.delayedMessages - parseOrigin(previous).delayedMessages),
    transactions: block.transactions.map((tx) => tx.serialize()),
    deposits: (block.withdrawals ?? []).map(({ index, address, amount }) => ({
      index,
      to: bytesToHex(address.bytes),
      amountWei: amount * GWEI,
    })),
    feeRecipient: bytesToHex(header.coinbase.bytes),
    ...(cursor.parameters && { parameters: cursor.parameters }),
  };
}
