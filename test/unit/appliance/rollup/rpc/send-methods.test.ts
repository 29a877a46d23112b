import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forwardKnown, type Ordering } from '../../../../../appliance/rollup/account/forwarder.ts';
import { settledNonce } from '../../../../../appliance/rollup/rpc/pending-transactions.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { NectarError } from '../../../../../protocol/errors.ts';
import { bytesToHex } from '../../../../../protocol/rollup/bytes.ts';
import { parseTransaction } from '../../../../../protocol/rollup/transaction.ts';
import { addressOf, alice, input, openChain, rules, transfer } from '../execute/chain-fixture.ts';
import { ask, emptyBook, rpcOf } from './rpc-fixture.ts';

const me = addressOf(alice);

function hashOf(raw: Uint8Array): Hex {
  const signed = parseTransaction(raw, rules);
  assert.ok(typeof signed === 'object');
  return signed.hash;
}

/** A sequencer elsewhere that takes what it is given, and may be gone. */
function sequencerElsewhere() {
  const taken: Hex[] = [];
  const state = { gone: false, nonce: 0n };
  const ordering: Ordering = {
    async submit(raw) {
      const hash = hashOf(raw);
      if (taken.includes(hash)) throw new NectarError('ROLLUP_SEQUENCER_REFUSED', { reason: 'already known' });
      taken.push(hash);
      state.nonce += 1n;
      return hash;
    },
    async pendingNonce() {
      if (state.gone) throw new NectarError('ROLLUP_SEQUENCER_UNREACHABLE', { method: 'eth_getTransactionCount' });
      return state.nonce;
    },
    whyLost: async () => undefined,
  };
  return { ordering, state, taken };
}

test('the pending nonce counts what was forwarded, so that ten transactions sent without waiting have ten nonces', async () => {
  await using chain = await openChain();
  const [book, { ordering, state }] = [emptyBook(), sequencerElsewhere()];
  const rpc = rpcOf(chain, {
    pending: book,
    submit: (raw) => forwardKnown(raw, { ordering, book, rules }),
    orderedNonce: ordering.pendingNonce,
  });
  const nonce = async (tag: string) => Number((await ask(rpc, 'eth_getTransactionCount', me, tag)).result);
  const raws: Uint8Array[] = [];
  for (let sent = 0; sent < 10; sent++) {
    assert.equal(await nonce('pending'), sent);
    raws.push(await transfer(alice, sent));
    assert.ok((await ask(rpc, 'eth_sendRawTransaction', bytesToHex(raws[sent] ?? new Uint8Array()))).result);
  }
  assert.equal(await nonce('latest'), 0);
  state.gone = true;
  assert.equal(await nonce('pending'), 10, 'counted by the node itself while the sequencer does not answer');
  state.gone = false;
  state.nonce = 7n;
  assert.equal(await nonce('pending'), 7, 'the sequencer knows what became of the others');
  await chain.executor.build(input(1, raws));
  assert.equal(await nonce('pending'), 10);
  assert.equal(await nonce('latest'), 10);
});

test('a block that takes a transaction between two looks hides it from neither', async () => {
  // In the chain 3, then 5: by then the pool has nothing of it any more.
  const [chain, waiting] = [[3n, 5n, 5n], new Set([3n, 4n])];
  let looks = 0;
  const next = await settledNonce(
    async () => {
      const nonce = chain[Math.min(looks++, 2)] ?? 0n;
      if (looks === 1) waiting.clear();
      return nonce;
    },
    (nonce) => {
      let after = nonce;
      while (waiting.has(after)) after += 1n;
      return after;
    },
  );
  assert.equal(next, 5n);
});

test('a forwarded transaction is found and listed before the chain has it', async () => {
  await using chain = await openChain();
  const [book, { ordering }] = [emptyBook(), sequencerElsewhere()];
  const rpc = rpcOf(chain, { pending: book, submit: (raw) => forwardKnown(raw, { ordering, book, rules }) });
  const [first, third] = [await transfer(alice, 0), await transfer(alice, 2)];
  for (const raw of [first, third]) await ask(rpc, 'eth_sendRawTransaction', bytesToHex(raw));
  const found = (await ask(rpc, 'eth_getTransactionByHash', hashOf(first))).result as unknown as Record<
    string,
    unknown
  >;
  assert.deepEqual([found.blockHash, found.blockNumber, found.nonce], [null, null, '0x0']);
  assert.equal((await ask(rpc, 'eth_getTransactionReceipt', hashOf(first))).result, null);
  assert.equal((await ask(rpc, 'debug_getRawTransaction', hashOf(first))).result, bytesToHex(first));
  assert.deepEqual((await ask(rpc, 'txpool_status')).result, { pending: '0x1', queued: '0x1' });
  const content = (await ask(rpc, 'txpool_content')).result as unknown as Record<string, Record<Hex, object>>;
  assert.deepEqual(Object.keys(content.pending?.[me] ?? {}), ['0']);
  assert.deepEqual(Object.keys(content.queued?.[me] ?? {}), ['2']);
  assert.match(JSON.stringify((await ask(rpc, 'txpool_inspect')).result), /1 wei \+ 21000 gas × 2000000000 wei/);
  await chain.executor.build(input(1, [first]));
  assert.deepEqual((await ask(rpc, 'txpool_status')).result, { pending: '0x0', queued: '0x1' });
});

test('sent twice, a transaction is already known; an answer that was lost on the way is none of it', async () => {
  await using chain = await openChain();
  const [book, { ordering, taken }] = [emptyBook(), sequencerElsewhere()];
  const rpc = rpcOf(chain, { pending: book, submit: (raw) => forwardKnown(raw, { ordering, book, rules }) });
  const [lost, sent] = [await transfer(alice, 0), await transfer(alice, 1)];
  taken.push(hashOf(lost));
  assert.equal((await ask(rpc, 'eth_sendRawTransaction', bytesToHex(lost))).result, hashOf(lost));
  assert.ok((await ask(rpc, 'eth_sendRawTransaction', bytesToHex(sent))).result);
  const { error } = await ask(rpc, 'eth_sendRawTransaction', bytesToHex(sent));
  assert.equal(error?.message, 'already known');
});

test('eth_sendRawTransactionSync answers with the receipt, or that the time is over with the hash', async () => {
  await using chain = await openChain();
  let builds = true;
  const rpc = rpcOf(chain, {
    async submit(raw) {
      if (builds) setImmediate(() => void chain.executor.build(input(1, [raw])));
      return hashOf(raw);
    },
  });
  const [first, second] = [await transfer(alice, 0), await transfer(alice, 1)];
  const done = (await ask(rpc, 'eth_sendRawTransactionSync', bytesToHex(first), 30_000)).result as unknown as {
    transactionHash: Hex;
    status: Hex;
  };
  assert.deepEqual([done.transactionHash, done.status], [hashOf(first), '0x1']);
  builds = false;
  const { error } = await ask(rpc, 'eth_sendRawTransactionSync', bytesToHex(second), '0x1');
  assert.deepEqual([error?.code, error?.data], [4, hashOf(second)]);
  assert.equal((await ask(rpc, 'eth_sendRawTransactionSync', bytesToHex(second), 0)).error?.code, -32602);
});
