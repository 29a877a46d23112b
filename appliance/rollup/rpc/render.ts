import type { Block, BlockHeader } from '@ethereumjs/block';
import { type EOACode7702Tx, isAccessList2930Tx, isEOACode7702Tx, isLegacyTx } from '@ethereumjs/tx';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { Receipt } from '../../../protocol/rollup/receipt.ts';
import { effectiveGasPrice, hasFeeMarket, type Transaction } from '../../../protocol/rollup/transaction.ts';

/** A hex quantity: no leading zeros. */
export function quantity(value: bigint | number): Hex {
  return `0x${value.toString(16)}`;
}

/** Where a transaction is; undefined while it waits in the pool. */
export interface Place {
  readonly block: Block;
  readonly index: number;
}

function renderAccessList(tx: Transaction) {
  if (isLegacyTx(tx)) return undefined;
  return tx.accessList.map(([address, keys]) => ({ address: bytesToHex(address), storageKeys: keys.map(bytesToHex) }));
}

function renderAuthorization([chainId, address, nonce, yParity, r, s]: EOACode7702Tx['authorizationList'][number]) {
  const number = (bytes: Uint8Array): Hex => quantity(bytes.length === 0 ? 0n : BigInt(bytesToHex(bytes)));
  return {
    chainId: number(chainId),
    address: bytesToHex(address),
    nonce: number(nonce),
    yParity: number(yParity),
    r: number(r),
    s: number(s),
  };
}

function renderFees(tx: Transaction, block: Block | undefined) {
  if (!hasFeeMarket(tx)) return { gasPrice: quantity(tx.gasPrice) };
  return {
    gasPrice: quantity(block ? effectiveGasPrice(tx, block.header) : tx.maxFeePerGas),
    maxFeePerGas: quantity(tx.maxFeePerGas),
    maxPriorityFeePerGas: quantity(tx.maxPriorityFeePerGas),
  };
}

/** A transaction as eth_getTransactionByHash gives it. */
export function renderTransaction(tx: Transaction, place: Place | undefined): Record<string, unknown> {
  const accessList = renderAccessList(tx);
  const v = tx.v ?? 0n;
  const hasChainId = hasFeeMarket(tx) || isAccessList2930Tx(tx) || v > 28n;
  return {
    blockHash: place ? bytesToHex(place.block.hash()) : null,
    blockNumber: place ? quantity(place.block.header.number) : null,
    blockTimestamp: place ? quantity(place.block.header.timestamp) : null,
    transactionIndex: place ? quantity(place.index) : null,
    hash: bytesToHex(tx.hash()),
    type: quantity(tx.type),
    from: bytesToHex(tx.getSenderAddress().bytes),
    to: tx.to ? bytesToHex(tx.to.bytes) : null,
    nonce: quantity(tx.nonce),
    gas: quantity(tx.gasLimit),
    ...renderFees(tx, place?.block),
    value: quantity(tx.value),
    input: bytesToHex(tx.data),
    ...(hasChainId && { chainId: quantity(tx.common.chainId()) }),
    ...(accessList && { accessList, yParity: quantity(v) }),
    ...(isEOACode7702Tx(tx) && { authorizationList: tx.authorizationList.map(renderAuthorization) }),
    v: quantity(v),
    r: quantity(tx.r ?? 0n),
    s: quantity(tx.s ?? 0n),
  };
}

/** A block's header as the subscription newHeads gives it. */
export function renderHeader(header: BlockHeader): Record<string, unknown> {
  return {
    number: quantity(header.number),
    hash: bytesToHex(header.hash()),
    parentHash: bytesToHex(header.parentHash),
    sha3Uncles: bytesToHex(header.uncleHash),
    miner: bytesToHex(header.coinbase.bytes),
    stateRoot: bytesToHex(header.stateRoot),
    transactionsRoot: bytesToHex(header.transactionsTrie),
    receiptsRoot: bytesToHex(header.receiptTrie),
    logsBloom: bytesToHex(header.logsBloom),
    difficulty: '0x0',
    gasLimit: quantity(header.gasLimit),
    gasUsed: quantity(header.gasUsed),
    timestamp: quantity(header.timestamp),
    extraData: bytesToHex(header.extraData),
    mixHash: bytesToHex(header.mixHash),
    nonce: bytesToHex(header.nonce),
    baseFeePerGas: quantity(header.baseFeePerGas ?? 0n),
    withdrawalsRoot: bytesToHex(header.withdrawalsRoot ?? new Uint8Array(32)),
    blobGasUsed: quantity(header.blobGasUsed ?? 0n),
    excessBlobGas: quantity(header.excessBlobGas ?? 0n),
    parentBeaconBlockRoot: bytesToHex(header.parentBeaconBlockRoot ?? new Uint8Array(32)),
    ...(header.requestsHash && { requestsHash: bytesToHex(header.requestsHash) }),
  };
}

/** A block as eth_getBlockByHash gives it. */
export function renderBlock(block: Block, full: boolean): Record<string, unknown> {
  const transactions = block.transactions as Transaction[];
  return {
    ...renderHeader(block.header),
    size: quantity(block.serialize().length),
    uncles: [],
    withdrawals: (block.withdrawals ?? []).map(({ index, validatorIndex, address, amount }) => ({
      index: quantity(index),
      validatorIndex: quantity(validatorIndex),
      address: bytesToHex(address.bytes),
      amount: quantity(amount),
    })),
    transactions: transactions.map((tx, index) =>
      full ? renderTransaction(tx, { block, index }) : bytesToHex(tx.hash()),
    ),
  };
}

/** The logs of one receipt; `firstIndex` counts the logs of the block before it, `removed` says that L1 contradicted the block. */
export function renderLogs(
  receipt: Receipt,
  { header, index }: { readonly header: BlockHeader; readonly index: number },
  { firstIndex, removed = false }: { readonly firstIndex: number; readonly removed?: boolean },
): Record<string, unknown>[] {
  const blockHash = bytesToHex(header.hash());
  return receipt.logs.map((log, i) => ({
    address: log.address,
    topics: log.topics,
    data: log.data,
    blockHash,
    blockNumber: quantity(header.number),
    blockTimestamp: quantity(header.timestamp),
    transactionHash: receipt.transactionHash,
    transactionIndex: quantity(index),
    logIndex: quantity(firstIndex + i),
    removed,
  }));
}

/** The receipts of a block as eth_getBlockReceipts gives them. */
export function renderReceipts(block: Block, receipts: readonly Receipt[]): Record<string, unknown>[] {
  let logIndex = 0;
  return receipts.map((receipt, index) => {
    const logs = renderLogs(receipt, { header: block.header, index }, { firstIndex: logIndex });
    logIndex += logs.length;
    return {
      transactionHash: receipt.transactionHash,
      transactionIndex: quantity(index),
      blockHash: bytesToHex(block.hash()),
      blockNumber: quantity(block.header.number),
      type: quantity(receipt.type),
      from: receipt.sender,
      to: receipt.to ?? null,
      contractAddress: receipt.contractAddress ?? null,
      status: quantity(receipt.status),
      gasUsed: quantity(receipt.gasUsed),
      cumulativeGasUsed: quantity(receipt.cumulativeGasUsed),
      effectiveGasPrice: quantity(receipt.effectiveGasPrice),
      logsBloom: bytesToHex(receipt.bloom),
      logs,
    };
  });
}
