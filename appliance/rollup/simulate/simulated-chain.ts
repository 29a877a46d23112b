import { hexlify, keccak256, Transaction, toBeHex, toQuantity, Wallet } from 'ethers';
import type { ListedPreimage } from '../../../machine/host/given-preimages.ts';
import { createMachine } from '../../../machine/host/machine.ts';
import type { DisputeConfig } from '../../../machine/tracer/iteration.ts';
import type { Hex } from '../../../protocol/brand.ts';
import type { GlobalState } from '../../../protocol/dispute/global-state.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { encodeBatch } from '../../../protocol/rollup/batch.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { NEW_NETWORK_FORK } from '../../../protocol/rollup/fork.ts';
import type { Genesis } from '../../../protocol/rollup/genesis.ts';
import { EMPTY_SEND_ROOT } from '../../../protocol/rollup/send-tree.ts';
import { createIterationAnswers } from '../challenge/iteration-answers.ts';
import { describeMachine } from '../dispute-config.ts';
import { loadMachine } from '../execute/machine-file.ts';
import { parseHeader } from '../l1/header.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';
import { buildDescriptorGenesis } from '../network-genesis.ts';
import { MACHINE_DIGEST } from '../network-rules.ts';

const CHAIN_ID = 6328271n;
const ETHER = 10n ** 18n;
const LOOK_TIMEOUT_MS = 30_000;

/** The last L1 block before the contracts. */
export interface DeployedAt {
  readonly number: bigint;
  readonly hash: Hex;
  readonly timestamp: bigint;
}

/** A chain of one block of transfers, which no node runs: enough to lie about. */
export interface SimulatedChain {
  readonly genesis: GlobalState;
  /** Hash of the disputed machine before its first step, and what it must know of the chain, as the contracts take them. */
  readonly core0: Hex;
  machineConfig(deployedAt: bigint): Hex;
  /** The batch of the block, for SequencerInbox's number 0 in calldata. */
  batchFor(deployedAt: DeployedAt): Uint8Array;
  truthOf(posted: PostedBatch): Promise<SimulatedTruth>;
}

/** The same once L1 has taken the batch: what is true, and all that the machine may ask. */
export interface SimulatedTruth {
  readonly config: DisputeConfig;
  readonly genesis: GlobalState;
  readonly state: GlobalState;
  readonly answers: readonly ListedPreimage[];
}

/** Where the batch is. */
export interface PostedBatch {
  readonly deployedAt: DeployedAt;
  readonly data: Uint8Array;
  /** The L1 block that took it. */
  readonly block: bigint;
  readonly rpc: JsonRpc;
  readonly accumulatorOf: (batch: bigint) => Promise<Hex>;
}

const first = (hash: Hex): GlobalState => ({ blockHash: hash, sendRoot: EMPTY_SEND_ROOT, batch: 0n, offset: 0n });

/** @param payer secp256k1: has the ETH of this chain, and makes its transfers. @param timestamp of block 0, in seconds */
export function createSimulatedChain(
  payer: { readonly key: Uint8Array; readonly address: Hex },
  { transfers, timestamp }: { readonly transfers: number; readonly timestamp: bigint },
): SimulatedChain {
  const built = buildGenesisFor(payer.address, timestamp);
  const configAt = (deployedAt: bigint): DisputeConfig => ({ chainId: CHAIN_ID, ...NEW_NETWORK_FORK, deployedAt });
  const genesis = first(built.hash);
  const { machine: machineConfig, core0 } = describeMachine(CHAIN_ID, NEW_NETWORK_FORK);
  return {
    genesis,
    core0,
    machineConfig,
    batchFor: ({ number, hash, timestamp: at }) =>
      encodeBatch([
        {
          timestamp: at,
          l1Origin: { number, hash },
          delayedMessages: 0,
          transactions: signTransfers(payer.key, transfers),
        },
      ]),
    async truthOf(posted) {
      const config = configAt(posted.deployedAt.number);
      const answers = [...(await answersOfBatch(posted, built)), ...preimagesOf(built)];
      return { config, genesis, answers, state: derive(config, genesis, answers) };
    },
  };
}

function buildGenesisFor(payer: Hex, timestamp: bigint): Genesis {
  const genesis = {
    l2ChainId: String(CHAIN_ID),
    timestamp: String(timestamp),
    gasLimit: '30000000',
    auditors: [payer],
    ejectionQuorum: 1,
    alloc: [{ address: payer, balanceWei: String(100n * ETHER) }],
    feeRecipient: payer,
    ...NEW_NETWORK_FORK,
  };
  const l2 = {
    chainId: String(CHAIN_ID),
    genesis,
    machine: MACHINE_DIGEST,
    genesisHash: EMPTY_SEND_ROOT,
    sequencer: payer,
  };
  return buildDescriptorGenesis({ l2 });
}

/** Each to another account, of one wei more. */
function signTransfers(key: Uint8Array, transfers: number): Uint8Array[] {
  const { signingKey } = new Wallet(hexlify(key));
  return Array.from({ length: transfers }, (_, nonce) => {
    const transfer = Transaction.from({
      type: 2,
      chainId: CHAIN_ID,
      nonce,
      to: toBeHex(0x1_0000 + nonce, 20),
      value: BigInt(nonce + 1),
      gasLimit: 21_000,
      maxFeePerGas: 10n ** 12n,
      maxPriorityFeePerGas: 1n,
    });
    transfer.signature = signingKey.sign(transfer.unsignedHash);
    return hexToBytes(transfer.serialized as Hex);
  });
}

function preimagesOf({ preimages }: Genesis): ListedPreimage[] {
  return [...preimages].map(([hash, bytes]) => ({ kind: 'node', hash: hexToBytes(hash), bytes }));
}

/** By what a node answers from, of which there is one batch here. */
async function answersOfBatch(posted: PostedBatch, built: Genesis): Promise<readonly ListedPreimage[]> {
  const { data, rpc, accumulatorOf } = posted;
  const headerAt = async (number: bigint) =>
    parseHeader(
      await rpc.call('eth_getBlockByNumber', [toQuantity(number), false], AbortSignal.timeout(LOOK_TIMEOUT_MS)),
    );
  const { number, hash } = await headerAt(posted.block);
  const batch = {
    sequenceNumber: 0n,
    dataHash: keccak256(data) as Hex,
    delayedCount: 0n,
    source: 'calldata',
    l1: { number, hash },
  } as const;
  const answersOf = createIterationAnswers(
    { deployedAt: posted.deployedAt.number },
    {
      archive: { batch: async () => batch, find: async () => ({ source: 'calldata', bytes: data }) },
      store: {
        find: headerAt,
        getMessage: async () => {
          throw new RangeError('this chain has no messages');
        },
      },
      blockOf: async () => ({ header: built.header }),
      l1Rpc: rpc,
      accumulatorOf,
    },
  );
  return answersOf(first(built.hash));
}

/** What the machine makes of the batch: the truth. */
function derive(
  { chainId, fork, p256, deployedAt }: DisputeConfig,
  { blockHash, offset }: GlobalState,
  answers: readonly ListedPreimage[],
): GlobalState {
  const byHash = new Map(answers.map(({ hash, bytes }) => [bytesToHex(hash), bytes]));
  const get = (_: unknown, hash: Uint8Array): Uint8Array | undefined => byHash.get(bytesToHex(hash));
  const machine = createMachine(loadMachine(), { chainId, fork, p256 }, { get, getInbox: get });
  const batch = answers.find(({ kind }) => kind === 'accumulator');
  if (batch === undefined) throw new RangeError('the batch has no accumulator');
  const place = { deployedAt, accumulator: bytesToHex(batch.hash), head: blockHash, offset };
  const { head, sendRoot, next, block } = machine.deriveBlock(place);
  if (next !== undefined || block === undefined || block.dropped.length > 0)
    throw new NectarError('ROLLUP_BLOCK_INPUT_INVALID', { number: 1n, reason: 'not all transfers are in the block' });
  return { blockHash: head, sendRoot, batch: 1n, offset: 0n };
}
