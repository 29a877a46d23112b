import type { Hex } from '../../../protocol/brand.ts';

/** One call that a program makes, and what it reads in the answer. */
export interface Recorded {
  readonly of: string;
  readonly method: string;
  readonly params: readonly unknown[];
  /** Fields that the program reads; absent where the answer is no object. */
  readonly reads?: readonly string[];
}

/** A transaction that is in the chain, and what it is about. */
export interface Facts {
  readonly chainId: Hex;
  readonly account: Hex;
  readonly to: Hex;
  readonly token: Hex;
  readonly block: Hex;
  readonly blockHash: Hex;
  readonly transaction: Hex;
  readonly transferTopic: Hex;
  /** Signed and not sent yet. */
  readonly next: Hex;
}

const BLOCK_FIELDS = [
  ...['number', 'hash', 'parentHash', 'miner', 'difficulty', 'gasLimit', 'gasUsed', 'timestamp', 'nonce', 'size'],
  ...[
    'transactions',
    'uncles',
    'baseFeePerGas',
    'logsBloom',
    'stateRoot',
    'transactionsRoot',
    'receiptsRoot',
    'mixHash',
  ],
  ...['extraData', 'sha3Uncles', 'withdrawals', 'withdrawalsRoot', 'blobGasUsed', 'excessBlobGas'],
];
const TRANSACTION_FIELDS = [
  ...[
    'hash',
    'from',
    'to',
    'value',
    'input',
    'nonce',
    'gas',
    'gasPrice',
    'blockNumber',
    'blockHash',
    'transactionIndex',
  ],
  ...['type', 'v', 'r', 's', 'chainId', 'maxFeePerGas', 'maxPriorityFeePerGas'],
];
const RECEIPT_FIELDS = [
  ...['blockNumber', 'blockHash', 'transactionHash', 'transactionIndex', 'status', 'gasUsed', 'cumulativeGasUsed'],
  ...['effectiveGasPrice', 'contractAddress', 'logs', 'logsBloom', 'type', 'from', 'to'],
];
const CALL_FIELDS = ['type', 'from', 'to', 'value', 'gas', 'gasUsed', 'input'];

/**
 * MetaMask: a network is added (the id is compared, EIP-1559 is looked for), an account is shown, a transaction is priced, sent and
 * followed (network-controller, gas-fee-controller, transaction-controller).
 */
export function walletCalls(facts: Facts): readonly Recorded[] {
  const { account, to, token, transaction, next } = facts;
  const call = (method: string, params: readonly unknown[], reads?: readonly string[]): Recorded => ({
    of: 'MetaMask',
    method,
    params,
    ...(reads && { reads }),
  });
  return [
    call('eth_chainId', []),
    call('net_version', []),
    call('eth_getBlockByNumber', ['latest', false], ['baseFeePerGas', 'number', 'gasLimit']),
    call('eth_blockNumber', []),
    call('eth_getBalance', [account, 'latest']),
    call('eth_call', [{ to: token, data: `0x70a08231${account.slice(2).padStart(64, '0')}` }, 'latest']),
    call('eth_getCode', [to, 'latest']),
    call('eth_getTransactionCount', [account, 'latest']),
    call('eth_getTransactionCount', [account, 'pending']),
    call('eth_gasPrice', []),
    call('eth_feeHistory', ['0x5', 'latest', [10, 20, 30]], ['oldestBlock', 'baseFeePerGas', 'gasUsedRatio', 'reward']),
    call('eth_estimateGas', [{ from: account, to, value: '0x1' }]),
    call('eth_simulateV1', [
      { blockStateCalls: [{ calls: [{ from: account, to, value: '0x1' }] }], traceTransfers: true },
      'latest',
    ]),
    call('eth_sendRawTransaction', [next]),
    call('eth_getTransactionByHash', [transaction], ['hash', 'nonce', 'blockNumber']),
    call('eth_getTransactionReceipt', [transaction], ['status', 'gasUsed', 'effectiveGasPrice', 'blockHash']),
    call('eth_getBlockByHash', [facts.blockHash, false], ['baseFeePerGas', 'timestamp']),
    call('eth_getLogs', [{ address: token, fromBlock: facts.block, toBlock: 'latest', topics: [facts.transferTopic] }]),
  ];
}

/** Blockscout's indexer with ETHEREUM_JSONRPC_VARIANT=geth and the call tracer: realtime and catch-up fetchers. */
export function explorerCalls(facts: Facts): readonly Recorded[] {
  const { account, token, block, blockHash, transaction } = facts;
  const call = (method: string, params: readonly unknown[], reads?: readonly string[]): Recorded => ({
    of: 'Blockscout',
    method,
    params,
    ...(reads && { reads }),
  });
  const tracer = { tracer: 'callTracer', timeout: '5s' };
  return [
    call('eth_chainId', []),
    call('net_version', []),
    call('eth_syncing', []),
    call('eth_blockNumber', []),
    call('eth_getBlockByNumber', ['latest', false], ['number', 'hash']),
    call('eth_getBlockByNumber', [block, true], BLOCK_FIELDS),
    call('eth_getBlockByHash', [blockHash, true], BLOCK_FIELDS),
    call('eth_getBlockReceipts', [block]),
    call('eth_getTransactionByHash', [transaction], TRANSACTION_FIELDS),
    call('eth_getTransactionReceipt', [transaction], RECEIPT_FIELDS),
    call('eth_getLogs', [{ fromBlock: block, toBlock: block, topics: [[facts.transferTopic]] }]),
    call('debug_traceTransaction', [transaction, tracer], CALL_FIELDS),
    call('debug_traceBlockByNumber', [block, tracer]),
    call('eth_getBalance', [account, block]),
    call('eth_getCode', [token, 'latest']),
    call('eth_getStorageAt', [token, '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc', 'latest']),
    call('eth_call', [{ to: token, data: '0x18160ddd' }, block]),
    call('eth_getTransactionCount', [account, 'latest']),
    call('eth_gasPrice', []),
    call('txpool_content', [], ['pending', 'queued']),
  ];
}
