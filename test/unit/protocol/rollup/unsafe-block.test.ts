import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type Block, createBlock } from '@ethereumjs/block';
import { isNectarError } from '../../../../protocol/errors.ts';
import { hexToBytes } from '../../../../protocol/rollup/bytes.ts';
import {
  encodeUnsafeBlock,
  inputOfBlock,
  MAX_UNSAFE_BLOCK_BYTES,
  parseUnsafeBlock,
  verifyUnsafeBlock,
} from '../../../../protocol/rollup/unsafe-block.ts';
import { createMemoryState } from '../../../oracle/state-by-hash.ts';
import { transition } from '../../../oracle/transition.ts';
import {
  addressOf,
  alice,
  bob,
  CHAIN_ID,
  input,
  rules,
  testGenesis,
  transfer,
} from '../../appliance/rollup/execute/chain-fixture.ts';

const key = hexToBytes(alice.privateKey as `0x${string}`);
const trusted = { chainId: CHAIN_ID, sequencer: addressOf(alice), rules };
let block: Block;
let envelope: Uint8Array;

before(async () => {
  const genesis = await testGenesis();
  const state = createMemoryState({ get: async (hash) => genesis.preimages.get(hash) });
  const more = { delayedMessages: 1, deposits: [{ index: 0n, to: addressOf(bob), amountWei: 10n ** 9n }] };
  ({ block } = await transition(genesis.header, input(1, [await transfer(alice, 0)], more), { state, rules }));
  envelope = encodeUnsafeBlock(block, { chainId: CHAIN_ID, key });
  assert.deepEqual(inputOfBlock(block, genesis.header), input(1, [await transfer(alice, 0)], more));
});

test('verifies what the sequencer signed and gives its L1 origin', async () => {
  const verified = await verifyUnsafeBlock(envelope, trusted);
  assert.deepEqual(verified.block.hash(), block.hash());
  assert.deepEqual(verified.l1Origin, { number: 7n, hash: `0x${'ab'.repeat(32)}` });
  assert.equal(verified.delayedMessages, 1n);
});

test('refuses another signer, another chain, and every changed byte', async () => {
  const invalid = (error: unknown) => isNectarError(error, 'ROLLUP_UNSAFE_BLOCK_INVALID');
  await assert.rejects(verifyUnsafeBlock(envelope, { ...trusted, sequencer: addressOf(bob) }), invalid);
  await assert.rejects(verifyUnsafeBlock(envelope, { ...trusted, chainId: 1n }), invalid);
  for (let at = 0; at < envelope.length; at += 1) {
    const changed = envelope.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    await assert.rejects(verifyUnsafeBlock(changed, trusted), invalid, `byte ${at}`);
  }
});

test('refuses a signed header with another body', async () => {
  const other = createBlock(
    { header: block.header, transactions: [], withdrawals: block.withdrawals ?? [] },
    { common: rules },
  );
  const forged = encodeUnsafeBlock(other, { chainId: CHAIN_ID, key });
  await assert.rejects(verifyUnsafeBlock(forged, trusted), { message: /transactions differ/ });
});

test('refuses what is too large before it parses anything', () => {
  assert.throws(() => parseUnsafeBlock(new Uint8Array(MAX_UNSAFE_BLOCK_BYTES + 1), rules), { message: /too large/ });
  assert.throws(() => parseUnsafeBlock(new Uint8Array(), rules), { message: /not an envelope/ });
});
