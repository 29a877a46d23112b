import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Interface } from 'ethers';
import type { Hex } from '../../../../../protocol/brand.ts';
import { TestTokenAbi, TestTokenInitCode } from '../../../../contracts/generated/TestToken.ts';
import { addressOf, alice, bob, ETHER, input, openChain, transfer } from '../execute/chain-fixture.ts';
import { type Answer, ask, rpcOf } from './rpc-fixture.ts';

const me = addressOf(alice);
const you = addressOf(bob);
const ISSUE = `${TestTokenInitCode}${'3e8'.padStart(64, '0')}`;
const token = new Interface(TestTokenAbi as never);
const hex = (value: bigint | number): Hex => `0x${value.toString(16)}`;
const word = (value: bigint | string): string => `0x${BigInt(value).toString(16).padStart(64, '0')}`;
/** Writes nothing and returns what BLOCKHASH says of the block before: NUMBER 1 SWAP1 SUB BLOCKHASH, stored and returned. */
const LAST_HASH_CODE = '0x60014303405f5260205ff3';

interface Block {
  readonly number: Hex;
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly timestamp: Hex;
  readonly baseFeePerGas: Hex;
  readonly transactions: readonly (Hex | { from: Hex; nonce: Hex; type: Hex })[];
  readonly calls: readonly {
    readonly status: Hex;
    readonly returnData: Hex;
    readonly gasUsed: Hex;
    readonly logs?: readonly { address: Hex; topics: readonly Hex[]; data: Hex; logIndex: Hex; blockHash: Hex }[];
    readonly error?: { code: number; message: string; data?: Hex };
  }[];
}

async function stand() {
  const chain = await openChain();
  await chain.executor.build(input(1, [await transfer(alice, 0, { to: null, value: 0n, data: ISSUE })]));
  const rpc = rpcOf(chain);
  const raw = (blockStateCalls: unknown[], more: object = {}, at: string = 'latest'): Promise<Answer> =>
    ask(rpc, 'eth_simulateV1', { blockStateCalls, ...more }, at);
  const simulate = async (blockStateCalls: unknown[], more: object = {}): Promise<readonly Block[]> => {
    const { result, error } = await raw(blockStateCalls, more);
    assert.equal(error, undefined);
    return result as unknown as readonly Block[];
  };
  return { chain, rpc, raw, simulate };
}

test('each call sees what the ones before it did, in its block and over blocks, and the chain sees nothing', async () => {
  const { chain, rpc, simulate } = await stand();
  await using _ = chain;
  const [receipt] = ((await ask(rpc, 'eth_getBlockReceipts', '0x1')).result ?? []) as { contractAddress: Hex }[];
  const to = receipt?.contractAddress;
  const balanceOf = { to, data: token.encodeFunctionData('balanceOf', [you]) };
  const send = { from: me, to, data: token.encodeFunctionData('transfer', [you, 5n]) };
  const blocks = await simulate([{ calls: [send, balanceOf] }, { calls: [send, balanceOf] }]);
  assert.deepEqual(
    blocks.map(({ calls }) => calls.map(({ status, returnData }) => [status, BigInt(returnData)])),
    [
      [
        ['0x1', 1n],
        ['0x1', 5n],
      ],
      [
        ['0x1', 1n],
        ['0x1', 10n],
      ],
    ],
  );
  const [log] = blocks[1]?.calls[0]?.logs ?? [];
  assert.deepEqual([log?.address, log?.topics[2], log?.blockHash], [to, word(you), blocks[1]?.hash]);
  assert.equal(blocks[1]?.parentHash, blocks[0]?.hash);
  assert.deepEqual([blocks[0]?.number, blocks[1]?.number], ['0x2', '0x3']);
  assert.equal(BigInt((await ask(rpc, 'eth_call', balanceOf)).result ?? '0x'), 0n);
});

test('blocks have the numbers, times and fees that are asked for; gaps are filled; BLOCKHASH sees simulated blocks', async () => {
  const { chain, simulate } = await stand();
  await using _ = chain;
  const code = { [you]: { code: LAST_HASH_CODE } };
  const blocks = await simulate([
    { blockOverrides: { number: '0x4', time: hex(1_800_000_000), baseFeePerGas: '0x7' }, stateOverrides: code },
    { calls: [{ to: you }] },
  ]);
  assert.deepEqual(
    blocks.map(({ number }) => number),
    ['0x2', '0x3', '0x4', '0x5'],
  );
  assert.deepEqual([blocks[2]?.timestamp, blocks[2]?.baseFeePerGas], [hex(1_800_000_000), '0x7']);
  assert.equal(blocks[3]?.timestamp, hex(1_800_000_001));
  assert.equal(blocks[3]?.calls[0]?.returnData, blocks[2]?.hash);
});

test('a call that reverts or fails is an answer, and its state is undone', async () => {
  const { chain, simulate } = await stand();
  await using _ = chain;
  const overrides = { [you]: { code: '0x5f5ffd' }, [`0x${'77'.repeat(20)}`]: { code: '0xfe' } };
  const [block] = await simulate([
    {
      stateOverrides: overrides,
      calls: [
        { from: me, to: you, value: '0x1' },
        { to: `0x${'77'.repeat(20)}`, gas: '0x10000' },
      ],
    },
  ]);
  assert.deepEqual(block?.calls[0]?.error, { code: 3, message: 'execution reverted', data: '0x' });
  assert.deepEqual([block?.calls[1]?.status, block?.calls[1]?.error?.code], ['0x0', -32015]);
  assert.match(block?.calls[1]?.error?.message ?? '', /^vm execution error/);
});

test('transfers of ETH are logs when they are asked for: nested ones in order, those of failed calls not', async () => {
  const { chain, simulate } = await stand();
  await using _ = chain;
  const [relay, sink] = [`0x${'88'.repeat(20)}`, `0x${'99'.repeat(20)}`];
  // LOG0 of nothing, then a call of `sink` with 2 wei, then a call of a contract that reverts with 1 wei.
  const bad = `0x${'66'.repeat(20)}`;
  const callOf = (to: string, wei: number): string =>
    `5f5f5f5f60${wei.toString(16).padStart(2, '0')}73${to.slice(2)}5af150`;
  const code = `0x5f5fa0${callOf(sink, 2)}${callOf(bad, 1)}`;
  const [block] = await simulate(
    [
      {
        stateOverrides: { [relay]: { code }, [bad]: { code: '0x5f5ffd' } },
        calls: [
          { from: me, to: relay, value: '0x5' },
          { from: me, value: '0x3', data: '0x' },
        ],
      },
    ],
    { traceTransfers: true },
  );
  const logs = block?.calls[0]?.logs ?? [];
  assert.deepEqual(
    logs.map(({ address, topics, data }) => [address, topics.slice(1), data]),
    [
      [`0x${'ee'.repeat(20)}`, [word(me), word(relay)], word(5n)],
      [relay, [], '0x'],
      [`0x${'ee'.repeat(20)}`, [word(relay), word(sink)], word(2n)],
    ],
  );
  const [creation] = block?.calls[1]?.logs ?? [];
  assert.equal(creation?.data, word(3n));
  assert.notEqual(creation?.topics[2], word(0n));
  const [without] = await simulate([{ calls: [{ from: me, to: you, value: '0x5' }] }]);
  assert.deepEqual(without?.calls[0]?.logs, []);
});

test('a contract may send; without validation neither nonce nor fee counts; with it they do', async () => {
  const { chain, raw, simulate } = await stand();
  await using _ = chain;
  const contract = `0x${'88'.repeat(20)}`;
  const state = { [contract]: { code: '0x00', balance: hex(ETHER) } };
  const blocks = await simulate(
    [
      {
        stateOverrides: state,
        calls: [
          { from: contract, to: you, value: '0x1' },
          { from: contract, to: you, nonce: '0x63' },
        ],
      },
    ],
    { returnFullTransactions: true },
  );
  assert.deepEqual(
    blocks[0]?.calls.map(({ status }) => status),
    ['0x1', '0x1'],
  );
  const [first] = blocks[0]?.transactions ?? [];
  assert.ok(typeof first === 'object' && first.from === contract && first.type === '0x2');
  const valid = async (call: object): Promise<number | undefined> =>
    (
      await raw([{ calls: [{ from: me, to: you, maxFeePerGas: hex(10n ** 10n), gas: '0x5208', ...call }] }], {
        validation: true,
      })
    ).error?.code;
  assert.equal(await valid({}), undefined);
  assert.equal(await valid({ nonce: '0x0' }), -38010);
  assert.equal(await valid({ nonce: '0x9' }), -38011);
  assert.equal(await valid({ maxFeePerGas: '0x1' }), -38012);
  assert.equal(await valid({ gas: '0x5000' }), -38013);
  assert.equal(await valid({ value: hex(10n ** 30n) }), -38014);
  assert.equal(await valid({ gas: hex(31_000_000) }), -38015);
});

test('what is no simulation is refused with the codes of the specification', async () => {
  const { chain, raw } = await stand();
  await using _ = chain;
  const code = async (blocks: unknown[]): Promise<number | undefined> => (await raw(blocks)).error?.code;
  assert.equal(await code([{ blockOverrides: { number: '0x1' } }]), -38020);
  assert.equal(await code([{ blockOverrides: { time: '0x1' } }]), -38021);
  assert.equal(await code([{ blockOverrides: { number: '0x1000' } }]), -38026);
  assert.equal(await code(Array.from({ length: 257 }, () => ({}))), -38026);
  assert.equal(await code([{ calls: Array.from({ length: 1_001 }, () => ({})) }]), -38026);
  assert.equal(await code([]), -32602);
  assert.equal(await code([{ calls: {} }]), -32602);
  assert.equal(await code([{ blockOverrides: { withdrawals: [] } }]), -32602);
  assert.equal(await code([{ calls: [{ gasPrice: '0x1', maxFeePerGas: '0x1' }] }]), -32602);
  assert.equal((await raw([{ calls: [{ from: you, to: me, value: hex(10n ** 30n) }] }])).error?.code, -38014);
  assert.equal((await raw([{}], {}, '0x99')).error?.message, 'header not found');
});
