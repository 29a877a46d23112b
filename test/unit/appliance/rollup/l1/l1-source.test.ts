import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMPT } from '@ethereumjs/mpt';
import { AbiCoder, concat, encodeRlp, getBytes, hexlify, id, keccak256, toBeArray, toBeHex, ZeroHash } from 'ethers';
import { createBlobSource } from '../../../../../appliance/rollup/blobs/blob-source.ts';
import { createBatchReader } from '../../../../../appliance/rollup/l1/batch-reader.ts';
import { BATCH_TOPIC, MESSAGE_TOPIC, SEQUENCER_INBOX } from '../../../../../appliance/rollup/l1/inbox-event.ts';
import type { JsonRpc } from '../../../../../appliance/rollup/l1/json-rpc.ts';
import { createL1Source } from '../../../../../appliance/rollup/l1/l1-source.ts';
import type { Hex } from '../../../../../protocol/brand.ts';

const signal = new AbortController().signal;
const inbox: Hex = `0x${'1b'.repeat(20)}`;
const sequencerInbox: Hex = `0x${'5e'.repeat(20)}`;
const zero = ZeroHash as Hex;
const data = '0x0102030405';

const noKzg = { versionedHash: async () => undefined };

type Json = Record<string, unknown>;

const word = (value: bigint): Hex => toBeHex(value, 32) as Hex;

function bloomOf(items: readonly string[]): Hex {
  const bloom = new Uint8Array(256);
  for (const item of items) {
    const hash = getBytes(keccak256(item));
    for (const at of [0, 2, 4]) {
      const bit = (((hash[at] ?? 0) << 8) | (hash[at + 1] ?? 0)) & 2047;
      bloom[255 - (bit >> 3)] = (bloom[255 - (bit >> 3)] ?? 0) | (1 << (bit & 7));
    }
  }
  return hexlify(bloom) as Hex;
}

const depositData = AbiCoder.defaultAbiCoder().encode(['address', 'uint256'], [`0x${'ee'.repeat(20)}`, 10n ** 9n]);

/** An L1 block with one deposit and one batch, hashed by the rules of Ethereum and not by the code under test. */
async function honestAnswers(): Promise<Record<string, Json | Json[]>> {
  const user = `0x${'ee'.repeat(20)}`;
  const coder = AbiCoder.defaultAbiCoder();
  const message = coder.encode(['uint8', 'bytes'], [0, depositData]);
  const batch = coder.encode(['bytes32', 'uint256', 'uint8'], [keccak256(data), 1n, 0]);
  const logs = [
    { address: inbox, topics: [MESSAGE_TOPIC, word(0n), zero, word(BigInt(user))], data: message },
    { address: sequencerInbox, topics: [BATCH_TOPIC, word(0n), zero, id('after')], data: batch },
  ];
  const receipts = logs.map((log, index) => ({
    type: index === 0 ? '0x0' : '0x2',
    status: '0x1',
    cumulativeGasUsed: toBeHex(21_000 * (index + 1)),
    logsBloom: bloomOf([log.address, ...log.topics]),
    logs: [log],
    transactionHash: id(`transaction ${index}`),
  }));
  const trie = await createMPT();
  for (const [index, { type, status, cumulativeGasUsed, logsBloom, logs: own }] of receipts.entries()) {
    const fields = [
      toBeArray(status),
      toBeArray(cumulativeGasUsed),
      logsBloom,
      own.map((l) => [l.address, l.topics, l.data]),
    ];
    const payload = encodeRlp(fields as never);
    await trie.put(
      getBytes(encodeRlp(toBeArray(index))),
      getBytes(type === '0x0' ? payload : concat([type.replace('0x', '0x0'), payload])),
    );
  }
  const header = {
    parentHash: id('parent'),
    sha3Uncles: id('uncles'),
    miner: user,
    stateRoot: id('state'),
    transactionsRoot: id('transactions'),
    receiptsRoot: hexlify(trie.root()),
    logsBloom: bloomOf(logs.flatMap(({ address, topics }) => [address, ...topics])),
    difficulty: '0x0',
    number: '0x64',
    gasLimit: '0x1c9c380',
    gasUsed: '0xa410',
    timestamp: '0x6b03d7bb',
    extraData: '0x',
    mixHash: id('randao'),
    nonce: '0x0000000000000000',
    baseFeePerGas: '0x7',
    withdrawalsRoot: id('withdrawals'),
    blobGasUsed: '0x0',
    excessBlobGas: '0x0',
    parentBeaconBlockRoot: id('beacon'),
    requestsHash: id('requests'),
  };
  const quantities = [
    'difficulty',
    'number',
    'gasLimit',
    'gasUsed',
    'timestamp',
    'baseFeePerGas',
    'blobGasUsed',
    'excessBlobGas',
  ];
  const rlp = Object.entries(header).map(([name, value]) => (quantities.includes(name) ? toBeArray(value) : value));
  const input = SEQUENCER_INBOX.encodeFunctionData('addBatch', [0, data, 1]);
  return {
    eth_getBlockByNumber: { ...header, hash: keccak256(encodeRlp(rlp)) },
    eth_getBlockReceipts: receipts,
    eth_getTransactionByHash: { input },
  };
}

function sourceOn(answers: Record<string, unknown>, nowMs = 0) {
  const state = { distrusted: 0 };
  const rpc: JsonRpc = {
    call: async (method) => answers[method],
    distrust: () => {
      state.distrusted += 1;
    },
  };
  const watched = { staleMs: 300_000, now: () => nowMs };
  const batches = createBatchReader({ rpc, blobs: createBlobSource({ beacons: [], kzg: noKzg }) });
  const addresses = { inbox, sequencerInbox };
  return { source: createL1Source({ chainId: 1n, addresses, ...watched }, rpc, batches), state };
}

async function readAll(answers: Record<string, unknown>) {
  const { source, state } = sourceOn(answers);
  const read = async () => {
    const header = await source.headerByNumber(100n, signal);
    assert.ok(header);
    return source.inboxEvents(header, signal);
  };
  return { read, state };
}

test('reads deposits and batches of a verified block, in log order', async () => {
  const { read } = await readAll(await honestAnswers());
  const [deposit, batch] = await read();
  assert.equal(deposit?.kind, 'message');
  assert.equal(deposit?.kind === 'message' && deposit.data, depositData);
  const content = batch?.kind === 'batch' ? batch.content : undefined;
  assert.equal(content?.source === 'calldata' && hexlify(content.bytes), data);
});

test('a lie about any header field is found, and the endpoint is asked last from then on', async () => {
  const honest = await honestAnswers();
  const block = honest.eth_getBlockByNumber as Json;
  for (const [name, value] of Object.entries(block)) {
    const text = String(value);
    const lies = [
      text.length > 4 ? `${text.slice(0, -1)}${text.endsWith('1') ? '2' : '1'}` : '0x9',
      undefined,
      7,
      '0xzz',
    ];
    for (const lie of lies) {
      const { read, state } = await readAll({ ...honest, eth_getBlockByNumber: { ...block, [name]: lie } });
      await assert.rejects(read(), { code: 'ROLLUP_L1_RESPONSE_INVALID' }, `${name} = ${lie}`);
      assert.equal(state.distrusted, 1);
    }
  }
});

test('a receipt that is changed, left out, added or moved does not fit the block', async () => {
  const honest = await honestAnswers();
  const receipts = honest.eth_getBlockReceipts as Json[];
  const [first, second] = receipts as [Json, Json];
  const [log] = first.logs as [Json];
  const lies = [
    [],
    [first],
    [second, first],
    [...receipts, second],
    [{ ...first, status: '0x0' }, second],
    [{ ...first, type: '0x1' }, second],
    [{ ...first, logs: [] }, second],
    [{ ...first, logs: [{ ...log, address: sequencerInbox }] }, second],
    [{ ...first, logs: [{ ...log, data: `${String(log.data).slice(0, -1)}1` }] }, second],
    [{ ...first, logs: 'none' }, second],
    'receipts',
    null,
  ];
  for (const lie of lies) {
    const { read } = await readAll({ ...honest, eth_getBlockReceipts: lie });
    await assert.rejects(read(), { code: 'ROLLUP_L1_RESPONSE_INVALID' });
  }
});

test('calldata that does not hash to what the event says is refused', async () => {
  const honest = await honestAnswers();
  const inputs = [
    SEQUENCER_INBOX.encodeFunctionData('addBatch', [0, '0x0102', 1]),
    '0x',
    '0x12345678',
    'text',
    undefined,
  ];
  for (const input of inputs) {
    const { read } = await readAll({ ...honest, eth_getTransactionByHash: { input } });
    await assert.rejects(read(), { code: 'ROLLUP_L1_RESPONSE_INVALID' });
  }
});

test('an endpoint of another chain, or one that answers another block, is found out', async () => {
  const honest = await honestAnswers();
  await assert.rejects(sourceOn({ eth_chainId: '0x2' }).source.verifyChain(signal), {
    code: 'ROLLUP_L1_CHAIN_MISMATCH',
  });
  await sourceOn({ eth_chainId: '0x1' }).source.verifyChain(signal);
  const { source } = sourceOn(honest);
  await assert.rejects(source.headerByNumber(99n, signal), { code: 'ROLLUP_L1_RESPONSE_INVALID' });
  assert.equal(await sourceOn({ eth_getBlockByNumber: null }).source.headerByTag('finalized', signal), undefined);
});

test('an endpoint whose newest block is too old is left for another, although it answers well', async () => {
  const honest = await honestAnswers();
  const blockMs = Number((honest.eth_getBlockByNumber as Json).timestamp) * 1000;
  for (const [ageMs, distrusted] of [
    [300_000, 0],
    [300_001, 1],
  ] as const) {
    const { source, state } = sourceOn(honest, blockMs + ageMs);
    assert.equal((await source.headerByTag('latest', signal))?.number, 100n);
    await source.headerByTag('finalized', signal);
    assert.equal(state.distrusted, distrusted);
  }
});
