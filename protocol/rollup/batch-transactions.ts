import { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { type ByteReader, Malformed } from './byte-reader.ts';
import { createByteWriter } from './byte-writer.ts';
import { joinTransaction, parseAccessList, splitTransaction, type TransactionFields } from './transaction-fields.ts';

/** How many sections of a batch hold transactions; see batch.ts for their order. */
export const TRANSACTION_SECTIONS = 10;

const OPAQUE = 255;
const PARITY = 4;
const HAS_TO = 8;
const HAS_ACCESS_LIST = 16;
const ADDRESS_BYTES = 20;
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

export interface TransactionReader {
  /** The next transaction's EIP-2718 bytes (a copy). Throws Malformed. */
  next(): Uint8Array;
  end(): void;
}

/** Gathers transactions from the columns in the order in which they were appended. */
export function createTransactionReader(sections: readonly ByteReader[]): TransactionReader {
  const [kinds, chains, nonces, gas, fees, recipients, values, lengths, data, signatures] =
    sections as Array10<ByteReader>;
  const known: Uint8Array[] = [];

  const recipient = (): Uint8Array => {
    const index = recipients.count(known.length);
    const to = index === 0 ? recipients.bytes(ADDRESS_BYTES) : known[index - 1];
    if (to === undefined) throw new Malformed('unknown recipient');
    if (index === 0) known.push(to);
    return to;
  };
  const blob = (): Uint8Array => data.bytes(lengths.count(0xffff_ffff));
  const accessList = (): Uint8Array => {
    const rlp = blob();
    // The inverse must exist: what does not decode to a list could not have been encoded.
    if (!parseAccessList(rlp)?.length) throw new Malformed('not an access list');
    return rlp;
  };

  return {
    next() {
      const kind = kinds.byte();
      if (kind === OPAQUE) return blob().slice();
      const type = kind & 3;
      if (kind > 31 || type === 3) throw new Malformed('unknown kind');
      if (type === 0 && kind & HAS_ACCESS_LIST) throw new Malformed('access list on a legacy transaction');
      const fields: TransactionFields = {
        type: type as 0 | 1 | 2,
        yParity: kind & PARITY ? 1 : 0,
        chainId: chains.varint(64),
        nonce: nonces.varint(64),
        gasLimit: gas.varint(64),
        maxFee: fees.varint(256),
        priorityFee: type === 2 ? fees.varint(256) : 0n,
        to: kind & HAS_TO ? recipient() : undefined,
        value: values.varint(256),
        data: blob(),
        accessList: kind & HAS_ACCESS_LIST ? accessList() : undefined,
        r: bytesToNumberBE(signatures.bytes(SCALAR_BYTES)),
        s: bytesToNumberBE(signatures.bytes(SCALAR_BYTES)),
      };
      return joinTransaction(fields);
    },
    end() {
      for (const section of sections) section.end();
    },
  };
}
