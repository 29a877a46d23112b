import { type BlockHeader, createBlockHeader } from '@ethereumjs/block';
import { RLP } from '@ethereumjs/rlp';
import { Account, createAddressFromString, setLengthLeft } from '@ethereumjs/util';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { nativeCrypto } from '../../appliance/rollup/execute/native-crypto.ts';
import type { Hex } from '../../protocol/brand.ts';
import { encodeOrigin } from '../../protocol/rollup/block-input.ts';
import { bytesToHex, hexToBytes } from '../../protocol/rollup/bytes.ts';
import { createRules } from '../../protocol/rollup/rules.ts';
import { createMemoryState, type MemoryState } from '../oracle/state-by-hash.ts';
import { openStateTrie } from '../oracle/state-trie.ts';
import { transition } from '../oracle/transition.ts';

/** The form of ethereum/tests GeneralStateTests, as far as it is read here. */
export interface StateTest {
  readonly env: Readonly<Record<'currentBaseFee' | 'currentCoinbase' | 'currentGasLimit' | 'currentNumber' | 'currentRandom' | 'currentTimestamp', Hex>>;
  readonly pre: Readonly<Record<Hex, { balance: Hex; code: Hex; nonce: Hex; storage: Readonly<Record<Hex, Hex>> }>>;
  readonly post: { readonly Cancun?: readonly PostState[] };
}

export interface PostState {
  readonly hash: Hex;
  readonly logs: Hex;
  readonly txbytes: Hex;
  readonly expectException?: string;
}

const rules = createRules(1n, nativeCrypto);

function even(hex: Hex): Uint8Array {
  const digits = hex.slice(2);
  return hexToBytes(`0x${digits.length % 2 === 0 ? digits : `0${digits}`}`);
}

async function loadState(pre: StateTest['pre'], state: MemoryState): Promise<Hex> {
  const trie = openStateTrie(state, undefined, rules);
  for (const [address, { balance, nonce, code, storage }] of Object.entries(pre)) {
    const at = createAddressFromString(address);
    await trie.manager.putAccount(at, new Account(BigInt(nonce), BigInt(balance)));
    if (code !== '0x') await trie.manager.putCode(at, even(code));
    for (const [slot, value] of Object.entries(storage) as [Hex, Hex][]) {
      await trie.manager.putStorage(at, setLengthLeft(even(slot), 32), even(value));
    }
  }
  return trie.commit();
}

/** A header after which a block has exactly the test's environment: half full, so that the base fee stays. */
function headerBefore({ env }: StateTest, stateRoot: Hex): BlockHeader {
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
      stateRoot,
    },
    { common: rules },
  );
}

/** Runs one post state of a test through the whole transition; undefined when it agrees, else what differs. */
export async function findDifference(test: StateTest, post: PostState): Promise<string | undefined> {
  const state = createMemoryState();
  const previous = headerBefore(test, await loadState(test.pre, state));
  const input = {
    timestamp: BigInt(test.env.currentTimestamp),
    l1Origin: { number: 0n, hash: bytesToHex(setLengthLeft(even(test.env.currentRandom), 32)) },
    delayedMessages: 0,
    deposits: [],
    feeRecipient: test.env.currentCoinbase,
    transactions: [even(post.txbytes)],
  };
  const { header, receipts, dropped } = await transition(previous, input, { state, rules });
  const logs = receipts.flatMap((receipt) => receipt.logs).map((log) => [log.address, [...log.topics], log.data] as const);
  const encoded = RLP.encode(logs.map(([address, topics, data]) => [even(address), topics.map(even), even(data)]));
  if (bytesToHex(keccak_256(encoded)) !== post.logs) return 'logs';
  if (bytesToHex(header.stateRoot) !== post.hash) return 'state root';
  const isRefused = dropped.length === 1;
  return isRefused === (post.expectException !== undefined) ? undefined : `dropped ${dropped[0]?.obstacle}`;
}
