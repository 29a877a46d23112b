import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AbiCoder, keccak256, toQuantity, ZeroHash } from 'ethers';
import { buildDescriptorGenesis } from '../../../appliance/rollup/index.ts';
import { type Fields, parseFields } from '../../../appliance/rollup/l1/field.ts';
import { encodeHeader, parseHeader } from '../../../appliance/rollup/l1/header.ts';
import { findBatch, findMessage, parseBatchCalldata } from '../../../appliance/rollup/l1/inbox-event.ts';
import type { L1Log } from '../../../appliance/rollup/l1/receipts.ts';
import { compileMachine } from '../../../machine/host/load.ts';
import { createMachine } from '../../../machine/host/machine.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { TestNetwork } from './test-network.ts';

export interface RederivedBlock {
  readonly hash: Hex;
  readonly isObliged: boolean;
  readonly forced: number;
}

const SOURCES = ['calldata', 'blobs', 'forced'];
const MACHINE = new URL('../../../machine/generated/machine.wasm', import.meta.url);

type RpcLog = L1Log & { readonly blockNumber: Hex; readonly transactionHash: Hex };

/**
 * The chain of a network by the machine alone: every hash that it asks for is answered with what L1 says and what hashes to it,
 * or with what it made itself. The genesis comes first.
 */
export async function rederive({ descriptor, l1Send }: TestNetwork): Promise<readonly RederivedBlock[]> {
  const known = new Map<string, Uint8Array>();
  const find = (hash: Uint8Array): Uint8Array | undefined => known.get(bytesToHex(hash));
  const keep = (bytes: Hex): Hex => {
    const hash = keccak256(bytes) as Hex;
    known.set(hash, hexToBytes(bytes));
    return hash;
  };
  const words = (types: readonly string[], values: readonly unknown[]): Hex =>
    keep(AbiCoder.defaultAbiCoder().encode(types, values) as Hex);

  const genesis = buildDescriptorGenesis(descriptor);
  for (const [hash, bytes] of genesis.preimages) known.set(hash, bytes);
  const deployedAt = BigInt(descriptor.l1.deployedAt.number);
  const latest = BigInt((await l1Send('eth_blockNumber', [])) as Hex);
  const headers = new Map<bigint, ReturnType<typeof parseHeader>>();
  for (let number = deployedAt; number <= latest; number += 1n) {
    const answer = await l1Send('eth_getBlockByNumber', [toQuantity(number), false]);
    keep(encodeHeader(parseFields(answer, 'block') as Fields));
    headers.set(number, parseHeader(answer));
  }

  const { inbox, sequencerInbox } = descriptor.l1;
  const range = { fromBlock: toQuantity(deployedAt), toBlock: toQuantity(latest) };
  const logs = (await l1Send('eth_getLogs', [{ ...range, address: [inbox, sequencerInbox] }])) as RpcLog[];
  const messageAccs: Hex[] = [];
  const batches: Hex[] = [];
  for (const log of logs) {
    const header = headers.get(BigInt(log.blockNumber));
    if (header === undefined) throw new Error('a log of no block');
    const place = [header.number, header.timestamp];
    const message = findMessage(log, { inbox, sequencerInbox });
    const batch = findBatch(log, { inbox, sequencerInbox });
    if (message !== undefined) {
      const types = ['uint8', 'address', 'bytes32', 'uint256', 'uint256'];
      const hash = words(types, [message.messageKind, message.sender, keep(message.data), ...place]);
      messageAccs.push(words(['bytes32', 'bytes32'], [messageAccs.at(-1) ?? ZeroHash, hash]));
    }
    if (batch !== undefined) {
      const { beforeAcc, afterAcc, dataHash, delayedCount, source } = batch;
      if (source === 'calldata') {
        const { input } = (await l1Send('eth_getTransactionByHash', [log.transactionHash])) as { input: Hex };
        keep(bytesToHex(parseBatchCalldata(input, dataHash)));
      }
      const delayed = messageAccs[Number(delayedCount) - 1] ?? ZeroHash;
      const types = ['bytes32', 'bytes32', 'bytes32', 'uint256', 'uint256', 'uint256', 'bytes32', 'uint8'];
      const values = [beforeAcc, dataHash, delayed, delayedCount, ...place, header.parentHash, SOURCES.indexOf(source)];
      if (words(types, values) !== afterAcc) throw new Error('the contract keeps another accumulator');
      batches.push(afterAcc);
    }
  }

  const module = compileMachine(readFileSync(MACHINE), (bytes) => createHash('sha256').update(bytes).digest('hex'));
  const { fork, p256 } = descriptor.l2.genesis;
  const rules = { chainId: BigInt(descriptor.l2.chainId), fork, p256 };
  const machine = createMachine(module, rules, { get: (_, hash) => find(hash), getInbox: (_, hash) => find(hash) });
  const chain: RederivedBlock[] = [{ hash: genesis.hash, isObliged: false, forced: 0 }];
  for (const accumulator of batches) {
    const head = chain.at(-1)?.hash ?? genesis.hash;
    for (const { block, fresh } of machine.deriveBatch({ deployedAt, accumulator, head })) {
      for (const { hash, bytes } of fresh) known.set(bytesToHex(hash), bytes);
      if (block !== undefined) chain.push(block);
    }
  }
  return chain;
}
