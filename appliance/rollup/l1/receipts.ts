import { concat, encodeRlp, getBytes, toBeArray } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import { orderedRoot } from '../../../protocol/rollup/ordered-root.ts';
import { bytes, type Fields, invalid, parseFields, parseList, quantity } from './field.ts';
import type { L1Header } from './header.ts';

/** A log of a receipt that was checked against its block's receiptsRoot. `transactionHash` is the endpoint's word. */
export interface L1Log {
  readonly address: Hex;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly transactionHash: Hex;
}

/** An L1 block holds far fewer: 30 M gas at 21,000 is 1,428 transactions; room for larger blocks. */
const MAX_RECEIPTS = 20_000;
const MAX_LOGS_PER_RECEIPT = 20_000;

/** Parses eth_getBlockReceipts' answer, recomputes the receipt trie and returns every log in order. */
export async function verifyReceipts(header: L1Header, answer: unknown): Promise<readonly L1Log[]> {
  const receipts = parseList(answer, 'receipts', MAX_RECEIPTS).map((receipt) => parseFields(receipt, 'receipt'));
  const encoded: Uint8Array[] = [];
  const logs: L1Log[] = [];
  for (const receipt of receipts) {
    const own = parseLogs(receipt);
    encoded.push(encodeReceipt(receipt, own));
    logs.push(...own);
  }
  if (bytesToHex(orderedRoot(encoded)) !== header.receiptsRoot) throw invalid('receipts root');
  return logs;
}

function parseLogs(receipt: Fields): L1Log[] {
  const transactionHash = bytes(receipt, 'transactionHash', 32);
  return parseList(receipt.logs, 'logs', MAX_LOGS_PER_RECEIPT).map((value) => {
    const log = parseFields(value, 'log');
    const topics = parseList(log.topics, 'topics', 4).map((topic) => bytes({ topic }, 'topic', 32));
    return { address: bytes(log, 'address', 20), topics, data: bytes(log, 'data'), transactionHash };
  });
}

/** EIP-2718: the type byte, except for legacy, then RLP [status, cumulative gas, bloom, logs]. */
function encodeReceipt(receipt: Fields, logs: readonly L1Log[]): Uint8Array {
  const type = quantity(receipt, 'type');
  if (type > 0x7fn) throw invalid('receipt type');
  const payload = encodeRlp([
    toBeArray(quantity(receipt, 'status')),
    toBeArray(quantity(receipt, 'cumulativeGasUsed')),
    bytes(receipt, 'logsBloom', 256),
    logs.map((log) => [log.address, [...log.topics], log.data]),
  ]);
  return getBytes(type === 0n ? payload : concat([toBeArray(type), payload]));
}
