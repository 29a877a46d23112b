import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBlockHeader } from '@ethereumjs/block';
import { RLP } from '@ethereumjs/rlp';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { createMachine, type Machine } from '../../machine/host/machine.ts';
import { WebAssembly, type WasmModule } from '../../machine/host/web-assembly.ts';
import type { Hex } from '../../protocol/brand.ts';
import { encodeOrigin } from '../../protocol/rollup/block-input.ts';
import { bytesToHex, hexToBytes } from '../../protocol/rollup/bytes.ts';
import { decodeReceipts } from '../../protocol/rollup/receipt.ts';
import type { Fork } from '../../protocol/rollup/fork.ts';
import { createRules } from '../../protocol/rollup/rules.ts';
import type { PostState, StateTest } from './state-test.ts';

const WASM = new URL('../../machine/generated/machine.wasm', import.meta.url);
/** What the tests' headers are made with: only their RLP counts. */
const rules = createRules(1n);
/** Names of forks in the official tests. */
const FORKS: Readonly<Record<string, Fork>> = { Cancun: 'cancun', Prague: 'prague', Osaka: 'osaka' };
/** EIP-4844 transactions have no place on this chain. */
const BLOB_TYPE = '0x03';
const EMPTY_ROOT = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';

export interface StateTestReport {
  readonly passed: number;
  /** What differs, with the test's name and the number of its post state. */
  readonly failed: readonly string[];
}

function even(hex: Hex): Uint8Array {
  const digits = hex.slice(2);
  return hexToBytes(`0x${digits.length % 2 === 0 ? digits : `0${digits}`}`);
}

function padded(hex: Hex): Hex {
  return `0x${hex.slice(2).padStart(64, '0')}`;
}

/** The machine under test, with one memory of preimages that each test empties. */
export interface MachineUnderTest {
  readonly machine: Machine;
  readonly stored: Map<string, Uint8Array>;
}

function createMachineUnderTest(module: WasmModule, fork: Fork): MachineUnderTest {
  const stored = new Map<string, Uint8Array>();
  const machine = createMachine(
    module,
    { chainId: 1n, fork, p256: false },
    { get: (kind, hash) => stored.get(`${kind} ${bytesToHex(hash)}`) },
  );
  return { machine, stored };
}

function loadState({ machine, stored }: MachineUnderTest, pre: StateTest['pre']): Uint8Array {
  stored.clear();
  machine.forget();
  const accounts = Object.entries(pre).map(([address, { balance, nonce, code, storage }]) => ({
    address: address as Hex,
    nonce: BigInt(nonce),
    balanceWei: BigInt(balance),
    code: even(code),
    storage: Object.entries(storage).map(([slot, value]) => [BigInt(slot), BigInt(value)] as const),
  }));
  const { root, fresh } = machine.buildState(accounts);
  for (const { kind, hash, bytes } of fresh) stored.set(`${kind} ${bytesToHex(hash)}`, bytes);
  machine.forget();
  return root;
}

/** The RLP of a header after which a block has exactly the test's environment: half full, so that the base fee stays. */
function headerBefore({ env }: StateTest, stateRoot: Uint8Array): Uint8Array {
  const gasLimit = BigInt(env.currentGasLimit);
  return createBlockHeader(
    {
      number: BigInt(env.currentNumber) - 1n,
      timestamp: BigInt(env.currentTimestamp),
      gasLimit,
      gasUsed: gasLimit / 2n,
      baseFeePerGas: BigInt(env.currentBaseFee),
      extraData: encodeOrigin({ number: 0n, delayedMessages: 0n }),
      parentBeaconBlockRoot: new Uint8Array(32),
      stateRoot: bytesToHex(stateRoot) === EMPTY_ROOT ? even(EMPTY_ROOT) : stateRoot,
    },
    { common: rules },
  ).serialize();
}

/** Runs one post state of a test as a block of the machine; undefined when it agrees, else what differs. */
export function findMachineDifference(subject: MachineUnderTest, test: StateTest, post: PostState): string | undefined {
  const previous = headerBefore(test, loadState(subject, test.pre));
  const built = subject.machine.executeBlock(previous, {
    timestamp: BigInt(test.env.currentTimestamp),
    l1Origin: { number: 0n, hash: padded(test.env.currentRandom) },
    delayedMessages: 0,
    deposits: [],
    feeRecipient: test.env.currentCoinbase,
    transactions: [even(post.txbytes)],
  });
  const logs = decodeReceipts(built.receipts).flatMap((receipt) => receipt.logs);
  const encoded = RLP.encode(logs.map(({ address, topics, data }) => [even(address), topics.map(even), even(data)]));
  if (bytesToHex(keccak_256(encoded)) !== post.logs) return 'logs';
  if (bytesToHex(stateRootOf(built.header)) !== post.hash) return 'state root';
  const [dropped] = built.dropped;
  return (dropped !== undefined) === (post.expectException !== undefined) ? undefined : `dropped: ${dropped?.obstacle}`;
}

function stateRootOf(header: Uint8Array): Uint8Array {
  const items = RLP.decode(header);
  const root = Array.isArray(items) ? items[3] : undefined;
  if (!(root instanceof Uint8Array)) throw new Error('not a header');
  return root;
}

/** The JSON files below a folder, in order. */
export function stateTestFiles(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true }) as string[];
  return names.filter((name) => name.endsWith('.json')).sort();
}

/** Runs every post state, of every fork that the machine has, in these files. */
export function runStateTests(folder: string, files: readonly string[], wasm?: Uint8Array | ''): StateTestReport {
  const machine = new WebAssembly.Module(wasm || readFileSync(WASM));
  const subjects = new Map<string, MachineUnderTest>();
  const failed: string[] = [];
  let passed = 0;
  for (const file of files) {
    const tests = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, StateTest>;
    for (const [name, body] of Object.entries(tests)) {
      for (const [forkName, posts] of Object.entries(body.post as Record<string, readonly PostState[]>)) {
        const fork = FORKS[forkName];
        if (fork === undefined) continue;
        const subject = subjects.get(fork) ?? createMachineUnderTest(machine, fork);
        subjects.set(fork, subject);
        for (const [index, post] of posts.entries()) {
          if (post.txbytes.startsWith(BLOB_TYPE)) continue;
          const difference = findMachineDifference(subject, body, post);
          if (difference === undefined) passed += 1;
          else failed.push(`${name} ${forkName} ${index}: ${difference}`);
        }
      }
    }
  }
  return { passed, failed };
}
