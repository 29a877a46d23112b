import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hex } from '../../../../../protocol/brand.ts';
import { PREDEPLOYS } from '../../../../../protocol/rollup/genesis.ts';
import { addressOf, alice, bob, ETHER, input, openChain, transfer } from '../execute/chain-fixture.ts';
import { ask, rpcOf } from './rpc-fixture.ts';

const AT: Hex = `0x${'ca'.repeat(20)}`;
const word = (value: bigint | number): Hex => `0x${value.toString(16).padStart(64, '0')}`;
const returns = (...ops: string[]): Hex => `0x${ops.join('')}60005260206000f3`;
const [NUMBER, TIMESTAMP, BASEFEE, COINBASE, PREVRANDAO, GASLIMIT] = ['43', '42', '48', '41', '44', '45'];
/** Returns slot 1. */
const READS_SLOT = returns('600154');

test('state overrides: balance, nonce, code, all storage or some slots', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  const call = async (state: object, more: object = {}) => ask(rpc, 'eth_call', { to: AT, ...more }, 'latest', state);
  assert.equal((await call({ [AT]: { code: READS_SLOT } })).result, word(0));
  assert.equal((await call({ [AT]: { code: READS_SLOT, stateDiff: { [word(1)]: word(7) } } })).result, word(7));
  assert.equal((await call({ [AT]: { code: returns('47'), balance: '0x9' } })).result, word(9));
  const poor = { from: AT, to: addressOf(bob), value: '0x5' };
  assert.match(
    String((await ask(rpc, 'eth_call', poor)).error?.message),
    /insufficient funds for gas \* price \+ value/,
  );
  assert.equal((await ask(rpc, 'eth_call', poor, 'latest', { [AT]: { balance: '0x5' } })).result, '0x');
  assert.equal((await ask(rpc, 'eth_estimateGas', poor, 'latest', { [AT]: { balance: '0x5' } })).result, '0x5208');

  const registry = PREDEPLOYS.nodeRegistry;
  const slot = async (state?: object) =>
    (await ask(rpc, 'eth_call', { to: registry }, 'latest', { [registry]: { code: returns('600054'), ...state } }))
      .result;
  const kept = await slot();
  assert.equal(await slot({ stateDiff: { [word(9)]: word(1) } }), kept, 'other slots stay');
  assert.equal(await slot({ state: { [word(9)]: word(1) } }), word(0), 'all storage is replaced');
  assert.equal((await ask(rpc, 'eth_getBalance', AT)).result, '0x0', 'nothing of it stays');
});

test('block overrides are what the call sees', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  const sees = async (op: string, block: object) =>
    (await ask(rpc, 'eth_call', { to: AT }, 'latest', { [AT]: { code: returns(op) } }, block)).result;
  assert.equal(await sees(NUMBER, { number: '0x1234' }), word(0x1234));
  assert.equal(await sees(TIMESTAMP, { time: '0x77777777' }), word(0x77777777));
  assert.equal(await sees(BASEFEE, { baseFeePerGas: '0x9' }), word(9));
  assert.equal(await sees(BASEFEE, {}), word(0));
  assert.equal(await sees(COINBASE, { feeRecipient: addressOf(bob) }), word(BigInt(bob.address)));
  assert.equal(await sees(PREVRANDAO, { prevRandao: '0xabc' }), word(0xabc));
  assert.equal(await sees(GASLIMIT, { gasLimit: '0x1000000' }), word(0x1000000));
});

test('an override that is not applied is refused, never ignored', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  const error = async (state: unknown, block?: unknown) =>
    (await ask(rpc, 'eth_call', { to: AT }, 'latest', state, block)).error;
  for (const state of [
    { [AT]: { movePrecompileToAddress: AT } },
    { [AT]: { state: {}, stateDiff: {} } },
    { [AT]: { balance: 'x' } },
    { [AT]: { stateDiff: { '0x1': word(1) } } },
    { '0x12': {} },
    [],
    'x',
  ])
    assert.equal((await error(state))?.code, -32602, JSON.stringify(state));
  for (const block of [
    { withdrawals: [] },
    { beaconRoot: word(1) },
    { blobBaseFee: '0x1' },
    { number: -1 },
    { gasLimit: '0xffffffffff' },
  ])
    assert.equal((await error({}, block))?.code, -32602, JSON.stringify(block));
});

test('an access list names what the call touches beyond sender and target', async () => {
  await using chain = await openChain();
  const rpc = rpcOf(chain);
  // SLOAD 1 of the called contract, then the balance of another account.
  const other = `0x${'dd'.repeat(20)}`;
  const code: Hex = `0x60015473${other.slice(2)}3100`;
  const listed = (
    await ask(rpc, 'eth_createAccessList', { from: addressOf(alice), to: AT }, 'latest', { [AT]: { code } })
  ).result as unknown as { accessList: { address: string; storageKeys: string[] }[]; gasUsed: Hex; error?: string };
  assert.deepEqual(
    listed.accessList.toSorted((a, b) => (a.address < b.address ? -1 : 1)),
    [
      { address: AT, storageKeys: [word(1)] },
      { address: other, storageKeys: [] },
    ],
  );
  assert.equal(listed.error, undefined);
  const reverting = await ask(rpc, 'eth_createAccessList', { to: PREDEPLOYS.nodeRegistry, data: '0xdeadbeef' });
  assert.equal((reverting.result as unknown as { error: string }).error, 'execution reverted');
  await chain.executor.build(input(1, [await transfer(alice, 0, { value: ETHER })]));
});
