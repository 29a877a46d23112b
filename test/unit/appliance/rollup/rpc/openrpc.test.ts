import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createBlock } from '@ethereumjs/block';
import { createCustomCommon, Hardfork, Mainnet } from '@ethereumjs/common';
import { Ajv } from 'ajv';
import { getCreateAddress, hashAuthorization, Interface, keccak256, recoverAddress } from 'ethers';
import { renderTransaction } from '../../../../../appliance/rollup/rpc/render.ts';
import type { Rpc } from '../../../../../appliance/rollup/rpc/rpc.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { NectarError } from '../../../../../protocol/errors.ts';
import { bytesToHex, hexToBytes } from '../../../../../protocol/rollup/bytes.ts';
import { PREDEPLOYS } from '../../../../../protocol/rollup/genesis.ts';
import { feeCap, parseTransaction } from '../../../../../protocol/rollup/transaction.ts';
import { TestTokenAbi, TestTokenInitCode } from '../../../../contracts/generated/TestToken.ts';
import { addressOf, alice, bob, CHAIN_ID, GWEI, input, openChain, rules, transfer } from '../execute/chain-fixture.ts';
import { type Answer, ask, emptyBook, rpcOf } from './rpc-fixture.ts';

interface Method {
  readonly name: string;
  readonly result: { readonly schema: object };
  readonly errors?: readonly { readonly code: number }[];
}

const specification = JSON.parse(
  readFileSync(new URL('../../../../vectors/execution-apis/openrpc.json', import.meta.url), 'utf8'),
) as { readonly methods: readonly Method[]; readonly components: object };
const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: false }).addSchema(
  { $id: 'specification', components: specification.components },
  'specification',
);
/** The document names these for the one method that sends transactions; they are JSON-RPC's and EIP-1474's own. */
const STANDARD = new Set([
  -32700, -32600, -32601, -32602, -32603, -32000, -32001, -32002, -32003, -32004, -32005, -32006,
]);
/** Of the document, what this node does not have: keys of its users, pools of others' blocks, later forks. */
const NOT_THERE = new Set([
  'debug_getBadBlocks',
  'debug_getRawBlockAccessList',
  'eth_capabilities',
  'eth_coinbase',
  'eth_fillTransaction',
  'eth_getBlockAccessList',
  'eth_sendTransaction',
  'eth_sign',
  'eth_signTransaction',
]);

function validator(method: Method) {
  const schema = JSON.stringify(method.result.schema).replaceAll('"#/components', '"specification#/components');
  return ajv.compile(JSON.parse(schema) as object);
}

const me = addressOf(alice);
const TOKEN = getCreateAddress({ from: alice.address, nonce: 0 }).toLowerCase() as Hex;
const ISSUE = `${TestTokenInitCode}${'3e8'.padStart(64, '0')}`;
const token = new Interface(TestTokenAbi as never);
const SLOT = `0x${'00'.repeat(32)}`;

/** A chain with transactions of each type, logs, a deposit and transactions that wait. */
async function stand() {
  const chain = await openChain();
  const sign = (fields: object) =>
    alice.signTransaction({ chainId: CHAIN_ID, gasLimit: 100_000, to: bob.address, value: 1n, ...fields });
  const raws = [
    await transfer(alice, 0, { to: null, value: 0n, data: ISSUE }),
    hexToBytes((await sign({ type: 0, nonce: 1, gasPrice: 2n * GWEI })) as Hex),
    hexToBytes(
      (await sign({
        type: 1,
        nonce: 2,
        gasPrice: 2n * GWEI,
        accessList: [{ address: TOKEN, storageKeys: [SLOT] }],
      })) as Hex,
    ),
    await transfer(alice, 3, { to: TOKEN, value: 0n, data: token.encodeFunctionData('transfer', [bob.address, 5n]) }),
  ];
  const { hash, block } = await chain.executor.build(
    input(1, raws, { delayedMessages: 1, deposits: [{ index: 0n, to: me, amountWei: GWEI }] }),
  );
  const book = emptyBook();
  for (const nonce of [4, 6]) {
    const signed = parseTransaction(await transfer(alice, nonce), rules);
    assert.ok(typeof signed === 'object');
    book.add(signed);
  }
  const next = bytesToHex(await transfer(alice, 4, { value: 2n }));
  const rpc = rpcOf(chain, { pending: book, syncTarget: () => undefined });
  assert.equal(block.transactions.length, 4);
  return { chain, rpc, book, hash, next, txs: raws.map((raw) => keccak256(raw) as Hex) };
}

/** Parameters with which each method answers. */
function calls({ hash, next, txs }: { hash: Hex; next: Hex; txs: readonly Hex[] }): Record<string, unknown[][]> {
  const call = { from: me, to: TOKEN, data: token.encodeFunctionData('balanceOf', [me]) };
  const places = [['0x1'], ['latest'], [{ blockHash: hash }]];
  return {
    debug_getRawBlock: [['0x1']],
    debug_getRawHeader: [['latest']],
    debug_getRawReceipts: [['0x1']],
    debug_getRawTransaction: txs.map((tx) => [tx]),
    debug_traceBlockByHash: [[hash], [hash, { tracer: 'callTracer' }]],
    debug_traceBlockByNumber: [['0x1'], ['0x1', { enableMemory: true }]],
    debug_traceTransaction: txs.flatMap((tx) => [[tx], [tx, { tracer: 'prestateTracer' }]]),
    eth_accounts: [[]],
    eth_baseFee: [[]],
    eth_blobBaseFee: [[]],
    eth_blockNumber: [[]],
    eth_call: [[call], [call, 'latest'], [call, { blockHash: hash }]],
    eth_chainId: [[]],
    eth_config: [[]],
    eth_createAccessList: [[call, 'latest']],
    eth_estimateGas: [[call], [call, 'latest']],
    eth_feeHistory: [
      ['0x2', 'latest', [10, 50]],
      ['0x1', '0x1', []],
    ],
    eth_gasPrice: [[]],
    eth_getBalance: places.map((place) => [me, ...place]),
    eth_getBlockByHash: [
      [hash, true],
      [hash, false],
      [txs[0], false],
    ],
    eth_getBlockByNumber: [
      ['latest', true],
      ['earliest', false],
      ['finalized', true],
      ['0x99', true],
    ],
    eth_getBlockReceipts: [['0x1'], [hash], ['0x99']],
    eth_getBlockTransactionCountByHash: [[hash], [txs[0]]],
    eth_getBlockTransactionCountByNumber: [['0x1'], ['0x99']],
    eth_getCode: places.map((place) => [TOKEN, ...place]),
    eth_getLogs: [[{ fromBlock: '0x0' }], [{ blockHash: hash, topics: [null] }]],
    eth_getProof: [
      [PREDEPLOYS.nodeRegistry, [SLOT, '0x1'], 'latest'],
      [`0x${'99'.repeat(20)}`, [], 'latest'],
    ],
    eth_getStorageAt: places.map((place) => [TOKEN, '0x0', ...place]),
    eth_getStorageValues: [[{ [TOKEN]: [SLOT, SLOT] }, 'latest']],
    eth_getTransactionByBlockHashAndIndex: [...txs.map((_, i) => [hash, `0x${i}`]), [hash, '0x9']],
    eth_getTransactionByBlockNumberAndIndex: [['0x1', '0x0']],
    eth_getTransactionByHash: [...txs.map((tx) => [tx]), [SLOT]],
    eth_getTransactionCount: [[me, 'latest'], [me, 'pending'], [me]],
    eth_getTransactionReceipt: [...txs.map((tx) => [tx]), [SLOT]],
    eth_maxPriorityFeePerGas: [[]],
    eth_newBlockFilter: [[]],
    eth_newFilter: [[{ address: TOKEN, topics: [null, null] }]],
    eth_newPendingTransactionFilter: [[]],
    eth_sendRawTransaction: [[next]],
    eth_simulateV1: [
      [
        {
          blockStateCalls: [
            { calls: [call, { ...call, from: bob.address, value: '0x1' }, { from: me, value: '0x1' }] },
          ],
        },
      ],
      [{ blockStateCalls: [{}, { calls: [call] }], returnFullTransactions: true, traceTransfers: true }, '0x1'],
    ],
    eth_syncing: [[]],
    eth_uninstallFilter: [['0x1']],
    net_version: [[]],
    txpool_content: [[]],
    txpool_contentFrom: [[me]],
    txpool_status: [[]],
  };
}

function assertKnownCode({ name, errors = [] }: Method, { error }: Answer, call: string): void {
  const listed = new Set([...STANDARD, ...errors.map(({ code }) => code)]);
  assert.ok(error !== undefined && listed.has(error.code), `${name} ${call}: ${JSON.stringify(error)}`);
}

test('every answer is what the specification says, and every method of it is there or said not to be', async () => {
  const { chain, rpc, book, ...facts } = await stand();
  await using _ = chain;
  const asked = calls(facts);
  let filters: unknown[][] = [];
  for (const method of specification.methods) {
    const { name } = method;
    if (NOT_THERE.has(name)) {
      assert.equal((await ask(rpc, name)).error?.code, -32601, name);
      continue;
    }
    if (name === 'eth_getFilterChanges' || name === 'eth_getFilterLogs') continue;
    const validate = validator(method);
    assert.ok(asked[name] !== undefined, `no call of ${name}`);
    for (const params of asked[name]) {
      const answer = await ask(rpc, name, ...params);
      const call = `${name} ${JSON.stringify(params).slice(0, 120)}: ${JSON.stringify(answer).slice(0, 600)}`;
      assert.ok('result' in answer, call);
      assert.ok(validate(answer.result), `${call} ${ajv.errorsText(validate.errors)}`);
      if (/^eth_new.*Filter$/.test(name)) filters = [...filters, [answer.result]];
    }
  }
  // An empty list is of two kinds at once, which the document allows of none: each filter gets something.
  const data = token.encodeFunctionData('transfer', [bob.address, 5n]);
  const later = parseTransaction(await transfer(alice, 5, { to: TOKEN, value: 0n, data }), rules);
  assert.ok(typeof later === 'object');
  book.add(later);
  const { dropped } = await chain.executor.build(input(3, [later.raw]));
  assert.deepEqual(dropped, []);
  await assertFilters(rpc, filters);
});

async function assertFilters(rpc: Rpc, filters: unknown[][]): Promise<void> {
  assert.equal(filters.length, 3);
  for (const name of ['eth_getFilterChanges', 'eth_getFilterLogs']) {
    const method = specification.methods.find((known) => known.name === name) ?? assert.fail(name);
    const validate = validator(method);
    for (const params of filters) {
      const answer = await ask(rpc, name, ...params);
      // Only a filter of logs has logs.
      if (answer.error !== undefined) assertKnownCode(method, answer, JSON.stringify(params));
      else assert.ok(validate(answer.result), `${name} ${JSON.stringify(answer)} ${ajv.errorsText(validate.errors)}`);
    }
  }
}

test('the specification is held: what it does not allow is found', () => {
  const method = specification.methods.find(({ name }) => name === 'eth_getBalance') ?? assert.fail();
  const validate = validator(method);
  assert.deepEqual(
    ['0x0', '0x1', '0x00', '0x', 1, null].map((value) => validate(value)),
    [true, true, false, false, false, false],
  );
});

test('a transaction that lends an address to code (EIP-7702) is read and shown, from the fork on that has it', async () => {
  const authorization = await bob.authorize({ address: TOKEN, nonce: 7, chainId: CHAIN_ID });
  const fees = { chainId: CHAIN_ID, nonce: 0, gasLimit: 200_000, maxFeePerGas: 3n * GWEI, maxPriorityFeePerGas: 1n };
  const signed = await alice.signTransaction({ ...fees, type: 4, to: bob.address, authorizationList: [authorization] });
  const raw = hexToBytes(signed as Hex);
  assert.equal(parseTransaction(raw, rules), 'undecodable');
  const prague = createCustomCommon({ chainId: Number(CHAIN_ID) }, Mainnet, { hardfork: Hardfork.Prague });
  const parsed = parseTransaction(raw, prague);
  assert.ok(typeof parsed === 'object');
  assert.deepEqual([parsed.sender, feeCap(parsed.tx)], [me, 3n * GWEI]);
  const block = createBlock({ header: { number: 1n, baseFeePerGas: GWEI } }, { common: prague });
  const shown = renderTransaction(parsed.tx, { block, index: 0 });
  assert.equal(shown.gasPrice, `0x${(GWEI + 1n).toString(16)}`);
  const [lent] = shown.authorizationList as Record<string, Hex>[];
  assert.deepEqual([lent?.address, lent?.nonce, lent?.chainId], [TOKEN, '0x7', `0x${CHAIN_ID.toString(16)}`]);
  assert.equal(recoverAddress(hashAuthorization(authorization), authorization.signature).toLowerCase(), addressOf(bob));
  const method = specification.methods.find(({ name }) => name === 'eth_getTransactionByHash') ?? assert.fail();
  const validate = validator(method);
  assert.ok(validate(shown), ajv.errorsText(validate.errors));
});

test('every refusal has a code that the specification lists', async () => {
  const { chain, hash } = await stand();
  await using _ = chain;
  const rpc = rpcOf(chain, {
    async submit() {
      throw new NectarError('ROLLUP_SEQUENCER_REFUSED', { reason: 'nonce too low' });
    },
  });
  const reverting = { to: PREDEPLOYS.nodeRegistry, data: '0xdeadbeef' };
  const refused: [string, ...unknown[]][] = [
    ['eth_call', reverting],
    ['eth_estimateGas', reverting],
    ['eth_call', { to: TOKEN }, '0x99'],
    ['eth_call', { from: `0x${'99'.repeat(20)}`, to: TOKEN, value: '0x1' }],
    ['eth_sendRawTransaction', '0x02'],
    ['eth_sendRawTransaction', 'x'],
    ['eth_getLogs', { blockHash: SLOT }],
    ['eth_getLogs', { topics: [1] }],
    ['eth_getFilterChanges', '0x1'],
    ['eth_getBalance', '0x12'],
    ['eth_getBlockByNumber', 'soon'],
    ['debug_traceTransaction', SLOT],
    ['debug_traceBlockByNumber', '0x0'],
    ['debug_getRawBlock', '0x99'],
    ['eth_getProof', TOKEN, [], hash.replace(/..$/, '00')],
  ];
  for (const [name, ...params] of refused) {
    const method = specification.methods.find((known) => known.name === name) ?? assert.fail(name);
    assertKnownCode(method, await ask(rpc, name, ...params), JSON.stringify(params));
  }
});
