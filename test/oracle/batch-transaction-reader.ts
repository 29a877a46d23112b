import { bytesToNumberBE } from '@noble/curves/utils.js';
import { joinTransaction, parseAccessList, type TransactionFields } from '../../protocol/rollup/transaction-fields.ts';
import { type ByteReader, Malformed } from './byte-reader.ts';

const OPAQUE = 255;
const PARITY = 4;
const HAS_TO = 8;
const HAS_ACCESS_LIST = 16;
const ADDRESS_BYTES = 20;
const SCALAR_BYTES = 32;

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
