import { numberToBytesBE } from '@noble/curves/utils.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { createByteWriter } from './byte-writer.ts';
import { splitTransaction } from './transaction-fields.ts';

/** How many sections of a batch hold transactions; see batch.ts for their order. */
export const TRANSACTION_SECTIONS = 10;

const OPAQUE = 255;
const PARITY = 4;
const HAS_TO = 8;
const HAS_ACCESS_LIST = 16;
const SCALAR_BYTES = 32;

export interface TransactionWriter {
  append(raw: Uint8Array): void;
  /** The sections in order. */
  finish(): Uint8Array[];
}

/** Spreads transactions over columns; one that has no canonical fields travels whole. */
export function createTransactionWriter(): TransactionWriter {
  const writers = Array.from({ length: TRANSACTION_SECTIONS }, createByteWriter);
  const [kinds, chains, nonces, gas, fees, recipients, values, lengths, data, signatures] = writers as [
    ...Array10<ReturnType<typeof createByteWriter>>,
  ];
  const known = new Map<string, number>();

  const recipient = (to: Uint8Array): void => {
    const key = bytesToHex(to);
    const index = known.get(key);
    recipients.varint(index === undefined ? 0 : index + 1);
    if (index !== undefined) return;
    recipients.bytes(to);
    known.set(key, known.size);
  };
  const blob = (bytes: Uint8Array): void => {
    lengths.varint(bytes.length);
    data.bytes(bytes);
  };

  return {
    append(raw) {
      const fields = splitTransaction(raw);
      if (fields === undefined) {
        kinds.byte(OPAQUE);
        blob(raw);
        return;
      }
      const { to, accessList } = fields;
      const flags = (fields.yParity * PARITY) | (to ? HAS_TO : 0) | (accessList ? HAS_ACCESS_LIST : 0);
      kinds.byte(fields.type | flags);
      chains.varint(fields.chainId);
      nonces.varint(fields.nonce);
      gas.varint(fields.gasLimit);
      fees.varint(fields.maxFee);
      if (fields.type === 2) fees.varint(fields.priorityFee);
      if (to !== undefined) recipient(to);
      values.varint(fields.value);
      blob(fields.data);
      if (accessList !== undefined) blob(accessList);
      signatures.bytes(numberToBytesBE(fields.r, SCALAR_BYTES));
      signatures.bytes(numberToBytesBE(fields.s, SCALAR_BYTES));
    },
    finish: () => writers.map((writer) => writer.finish()),
  };
}

type Array10<T> = [T, T, T, T, T, T, T, T, T, T];
