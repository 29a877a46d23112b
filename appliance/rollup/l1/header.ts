import { encodeRlp, keccak256, toBeArray } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { bytes, type Fields, invalid, parseFields, quantity } from './field.ts';

/** The part of an L1 header that derivation reads. `hash` has been recomputed from all fields. */
export interface L1Header {
  readonly number: bigint;
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly timestamp: bigint;
  readonly receiptsRoot: Hex;
  readonly logsBloom: Hex;
}

/** Header fields by age: a field is in the RLP when the block has it, and none is skipped (EIP-1559, 4895, 4844, 4788, 7685). */
const LATER_FIELDS = [
  ['baseFeePerGas', 'quantity'],
  ['withdrawalsRoot', 32],
  ['blobGasUsed', 'quantity'],
  ['excessBlobGas', 'quantity'],
  ['parentBeaconBlockRoot', 32],
  ['requestsHash', 32],
] as const;

/**
 * Parses eth_getBlockBy*'s answer and rehashes the header, so the endpoint can choose a block but not invent its content.
 * A field that a later fork adds makes the hash differ, and the block is refused until this version knows the fork.
 */
export function parseHeader(answer: unknown): L1Header {
  const block = parseFields(answer, 'block');
  const hash = bytes(block, 'hash', 32);
  if (keccak256(encodeHeader(block)) !== hash) throw invalid('block hash');
  return {
    number: quantity(block, 'number'),
    hash,
    parentHash: bytes(block, 'parentHash', 32),
    timestamp: quantity(block, 'timestamp'),
    receiptsRoot: bytes(block, 'receiptsRoot', 32),
    logsBloom: bytes(block, 'logsBloom', 256),
  };
}

/** The RLP of which a block's hash is the Keccak-256, out of the same answer. */
export function encodeHeader(block: Fields): Hex {
  return encodeRlp(headerFields(block)) as Hex;
}

function headerFields(block: Fields): (string | Uint8Array)[] {
  const number = (name: string): Uint8Array => toBeArray(quantity(block, name));
  const fields: (string | Uint8Array)[] = [
    bytes(block, 'parentHash', 32),
    bytes(block, 'sha3Uncles', 32),
    bytes(block, 'miner', 20),
    bytes(block, 'stateRoot', 32),
    bytes(block, 'transactionsRoot', 32),
    bytes(block, 'receiptsRoot', 32),
    bytes(block, 'logsBloom', 256),
    number('difficulty'),
    number('number'),
    number('gasLimit'),
    number('gasUsed'),
    number('timestamp'),
    bytes(block, 'extraData', undefined, 32),
    bytes(block, 'mixHash', 32),
    bytes(block, 'nonce', 8),
  ];
  for (const [name, kind] of LATER_FIELDS) {
    if (block[name] === undefined || block[name] === null) break;
    fields.push(kind === 'quantity' ? number(name) : bytes(block, name, kind));
  }
  return fields;
}
