import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Transaction } from 'ethers';
import { createBatchPoster } from '../../../../../appliance/rollup/batcher/batch-poster.ts';
import { blobCost, calldataCost, raiseFees } from '../../../../../appliance/rollup/batcher/fees.ts';
import { createL1Sender } from '../../../../../appliance/rollup/batcher/l1-sender.ts';
import { type ProvenBlob, versionedHashOf } from '../../../../../appliance/rollup/blobs/kzg-thread.ts';
import { SEQUENCER_INBOX } from '../../../../../appliance/rollup/l1/inbox-event.ts';
import { type JsonRpc, RpcRefusal } from '../../../../../appliance/rollup/l1/json-rpc.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { NectarError } from '../../../../../protocol/errors.ts';
import { decodeBlobs } from '../../../../../protocol/rollup/blob-batch.ts';
import { hexToBytes } from '../../../../../protocol/rollup/bytes.ts';

const { signal } = new AbortController();
const log = createLogger({ level: 'silent' });
const GWEI = 10n ** 9n;
const sequencerInbox: Hex = `0x${'5e'.repeat(20)}`;
const commitment: Hex = `0xc0${'00'.repeat(47)}`;
const batch = { sequenceNumber: 4n, data: new Uint8Array(50_000).fill(3), delayedCount: 2n };

const proven =
  (proofs: number) =>
  async (blob: Uint8Array): Promise<ProvenBlob> => ({
    blob,
    commitment,
    versionedHash: versionedHashOf(commitment),
    proofs: Array.from({ length: proofs }, () => commitment),
  });

/** A node of L1 whose pools keep an account's transactions apart by kind and replace by geth's rules. */
function createPools(prices: { gas: bigint; blobGas?: bigint }) {
  const state = { pending: undefined as Transaction | undefined, raw: '' };
  const refuse = (method: string, message: string): never => {
    const cause = new RpcRefusal(-32000, message, undefined);
    throw new NectarError('ROLLUP_L1_REFUSED', { method, code: -32000 }, { cause });
  };
  const take = (raw: string): string => {
    const tx = Transaction.from(raw);
    const { pending } = state;
    if (pending !== undefined && pending.type !== tx.type) refuse('send', 'address already reserved');
    const percent = tx.type === 3 ? 200n : 110n;
    const isLess = (before: bigint | null | undefined, after: bigint | null | undefined): boolean =>
      (after ?? 0n) < ((before ?? 0n) * percent) / 100n;
    const less =
      pending !== undefined &&
      (isLess(pending.maxFeePerGas, tx.maxFeePerGas) ||
        isLess(pending.maxPriorityFeePerGas, tx.maxPriorityFeePerGas) ||
        isLess(pending.maxFeePerBlobGas, tx.maxFeePerBlobGas));
    if (less) refuse('send', 'replacement transaction underpriced');
    state.pending = tx;
    state.raw = raw;
    return tx.hash ?? '';
  };
  const rpc: JsonRpc = {
    distrust: () => {},
    async call(method, [first]) {
      if (method === 'eth_getBlockByNumber') return { baseFeePerGas: `0x${prices.gas.toString(16)}` };
      if (method === 'eth_blobBaseFee') {
        return prices.blobGas === undefined ? refuse(method, 'no such method') : `0x${prices.blobGas.toString(16)}`;
      }
      if (method === 'eth_estimateGas') return '0x15f90';
      if (method === 'eth_getTransactionCount') return '0x7';
      return take(String(first));
    },
  };
  const limits = { maxFeePerGasWei: 500n * GWEI, maxFeePerBlobGasWei: 500n * GWEI };
  const sender = createL1Sender({ key: new Uint8Array(32).fill(7), chainId: 1n, ...limits }, rpc);
  const poster = (dataAvailability: 'auto' | 'calldata' | 'blobs', readsBlobs = true, proofs = 1) =>
    createBatchPoster({ sequencerInbox, dataAvailability, readsBlobs }, { sender, prove: proven(proofs), log });
  return { state, sender, poster };
}

function readBack(tx: Transaction): Uint8Array | undefined {
  if (tx.type === 2) return hexToBytes(SEQUENCER_INBOX.decodeFunctionData('addBatch', tx.data).getValue('data') as Hex);
  const call = SEQUENCER_INBOX.decodeFunctionData('addBatchBlobs', tx.data);
  assert.deepEqual([call.getValue('sequenceNumber'), call.getValue('delayedCount')], [4n, 2n]);
  return decodeBlobs((tx.blobs ?? []).map(({ data }) => hexToBytes(data as Hex)));
}

test('a batch goes out in the form that is cheaper now, and holds the same bytes in either', async () => {
  for (const [prices, type] of [
    [{ gas: 10n * GWEI, blobGas: 1n }, 3],
    [{ gas: GWEI, blobGas: 100n * GWEI }, 2],
    [{ gas: 10n * GWEI }, 2],
  ] as const) {
    const l1 = createPools(prices);
    await l1.poster('auto').post(batch, signal);
    assert.equal(l1.state.pending?.type, type);
    assert.ok(l1.state.pending && Buffer.compare(readBack(l1.state.pending) ?? new Uint8Array(), batch.data) === 0);
  }
});

test('by price, blobs are posted only where this node reads them back; a fixed form is kept', async () => {
  const l1 = createPools({ gas: 10n * GWEI, blobGas: 1n });
  await l1.poster('auto', false).post(batch, signal);
  assert.equal(l1.state.pending?.type, 2);
  for (const [form, type] of [
    ['calldata', 2],
    ['blobs', 3],
  ] as const) {
    const fixed = createPools({ gas: 10n * GWEI, blobGas: type === 2 ? 1n : 400n * GWEI });
    await fixed.poster(form).post(batch, signal);
    assert.equal(fixed.state.pending?.type, type);
  }
});

test('prices are those of EIP-7623 and EIP-4844', () => {
  const prices = { gasWei: 2n, blobGasWei: 3n };
  const full = new Uint8Array(100_000).fill(1);
  assert.equal(calldataCost(full, prices), 2n * (21_000n + 4_000_000n));
  assert.equal(calldataCost(new Uint8Array(100_000), prices), 2n * (21_000n + 1_000_000n));
  assert.ok(calldataCost(Uint8Array.of(1), prices) > 2n * 21_040n, 'a small batch costs what it executes');
  assert.equal(blobCost(2, prices), (blobCost(1, prices) ?? 0n) + 3n * 131_072n);
  assert.equal(blobCost(1, { gasWei: 2n, blobGasWei: undefined }), undefined);
});

test('blobs are replaced for twice as much of every fee, calldata for an eighth more, and neither beyond its limit', async () => {
  const l1 = createPools({ gas: GWEI, blobGas: 5n });
  const sent = await l1.poster('blobs').post(batch, signal);
  const before = sent.fees;
  assert.equal(await l1.sender.bump(sent, signal), true);
  assert.deepEqual(sent.fees, {
    maxFeePerGas: before.maxFeePerGas * 2n,
    maxPriorityFeePerGas: before.maxPriorityFeePerGas * 2n,
    maxFeePerBlobGas: (before.maxFeePerBlobGas ?? 0n) * 2n,
  });
  assert.equal(l1.state.pending?.nonce, 7);
  const limits = { maxFeePerGasWei: 100n, maxFeePerBlobGasWei: 9n };
  const fees = { maxFeePerGas: 50n, maxPriorityFeePerGas: 1n };
  assert.equal(raiseFees({ ...fees, maxFeePerBlobGas: 5n }, limits), undefined);
  assert.equal(raiseFees({ ...fees, maxFeePerBlobGas: 4n }, limits)?.maxFeePerBlobGas, 8n);
  assert.equal(raiseFees(fees, limits)?.maxFeePerGas, 57n);
});

test('what an earlier run left in a pool is replaced by its own kind, whatever the price says', async () => {
  const l1 = createPools({ gas: 10n * GWEI, blobGas: 1n });
  await l1.poster('calldata').post(batch, signal);
  await l1.poster('auto').post(batch, signal);
  assert.equal(l1.state.pending?.type, 2, 'calldata holds the nonce');
  const other = createPools({ gas: 10n * GWEI, blobGas: 1n });
  const first = await other.poster('blobs').post(batch, signal);
  const second = await other.poster('calldata').post(batch, signal);
  assert.equal(other.state.pending?.type, 3, 'blobs hold the nonce');
  assert.equal(second.nonce, first.nonce);
  assert.ok(second.fees.maxFeePerGas >= first.fees.maxFeePerGas * 2n);
});

test('proofs of cells go out in the wrapper of EIP-7594', async () => {
  const l1 = createPools({ gas: GWEI, blobGas: 1n });
  await l1.poster('blobs', true, 128).post(batch, signal);
  assert.equal(Transaction.from(l1.state.raw).blobWrapperVersion, 1);
  await createPools({ gas: GWEI, blobGas: 1n }).poster('blobs').post(batch, signal);
});
