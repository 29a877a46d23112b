import { getCreateAddress, Transaction, Wallet } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import type { BlockInput, Deposit } from '../../../protocol/rollup/block-input.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { CHAIN_ID, ETHER, FEE_RECIPIENT, GENESIS, GWEI } from '../appliance/rollup/execute/chain-fixture.ts';

/** Deterministic choices from a seed (mulberry32): what failed once can be run again. */
export interface Dice {
  /** An integer below `sides`. */
  below(sides: number): number;
  pick<T>(from: readonly T[]): T;
  chance(percent: number): boolean;
}

export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (sides: number): number => Math.floor(next() * sides);
  return {
    below,
    pick: (from) => from[below(from.length)] as (typeof from)[number],
    chance: (percent) => below(100) < percent,
  };
}

/** Accounts of the random chain: keys that guard nothing. The last one owns nothing. */
export const WALLETS = [1, 2, 3, 4].map((n) => new Wallet(`0x${`${n}${n}`.repeat(32)}`));
const STRANGERS: readonly Hex[] = [`0x${'aa'.repeat(20)}`, `0x${'bb'.repeat(20)}`, `0x${'00'.repeat(19)}04`];

function byte(value: number): string {
  return value.toString(16).padStart(2, '0');
}

const push = (value: number): string => `60${byte(value & 255)}`;

/** One thing that a contract does. Leaves the stack as it was. */
function snippet(dice: Dice, targets: readonly Hex[], depth: number): string {
  const slot = push(dice.below(6));
  const address = `73${dice.pick(targets).slice(2)}`;
  const kinds: (() => string)[] = [
    // Set a slot, often to nothing: values go, nodes with them.
    () => `${push(dice.below(3))}${slot}55`,
    () => `${push(dice.below(3))}${slot}55`,
    () => `${slot}54${push(dice.below(5))}01${slot}55`,
    () => `${push(dice.below(3))}${slot}5d${slot}5c${slot}55`,
    // What the block and the state say, kept in a slot.
    () => `${dice.pick(['42', '43', '44', '46', '48', '4a', '41', '47', '32', '34', '3a', '5a'])}${slot}55`,
    () => `${address}${dice.pick(['31', '3b', '3f'])}${slot}55`,
    () => `${push(1 + dice.below(3))}430340${slot}55`,
    // Logs.
    () => `${push(dice.below(64))}${push(0)}a0`,
    () => `${push(7)}${push(9)}${push(dice.below(64))}${push(0)}a2`,
    // Calls: call, callcode, delegatecall, staticcall; with value or without.
    () => `${push(0).repeat(4)}${push(dice.below(3))}${address}61ffff${dice.pick(['f1', 'f2'])}${slot}55`,
    () => `${push(32)}${push(0).repeat(3)}${address}61ffff${dice.pick(['f4', 'fa'])}50`,
    () => `${push(32)}${push(0)}${push(32)}${push(0)}${push(1 + dice.below(10))}5afa50`,
    // Memory, hashes and copies.
    () => `${push(dice.below(200))}${push(dice.below(200))}20${slot}55`,
    () => `${push(dice.below(70))}${push(0)}${push(dice.below(90))}5e`,
  ];
  if (depth > 0)
    kinds.push(
      () => creation(dice, targets, depth - 1),
      () => creation(dice, targets, depth - 1),
    );
  if (dice.chance(4)) return `${address}ff`;
  if (dice.chance(3)) return `${push(dice.below(40))}${push(0)}fd`;
  if (dice.chance(2)) return 'fe';
  return dice.pick(kinds)();
}

function program(dice: Dice, targets: readonly Hex[], depth: number, steps: number): string {
  return Array.from({ length: steps }, () => snippet(dice, targets, depth)).join('');
}

/** Puts short creation code into memory and creates, with CREATE or CREATE2. */
function creation(dice: Dice, targets: readonly Hex[], depth: number): string {
  const code = initCode(dice, targets, depth, 1).slice(0, 64);
  const size = code.length / 2;
  const word = code.padEnd(64, '0');
  const value = push(dice.below(2));
  const create = dice.chance(50)
    ? `${push(dice.below(2))}${push(size)}${push(0)}${value}f5`
    : `${push(size)}${push(0)}${value}f0`;
  return `7f${word}${push(0)}52${create}${push(dice.below(6))}55`;
}

/** Creation code that does something and leaves a contract that does something. */
export function initCode(dice: Dice, targets: readonly Hex[], depth: number, steps: number): string {
  const runtime = program(dice, targets, depth, steps * 2);
  const head = program(dice, targets, depth, steps);
  const size = (runtime.length / 2).toString(16).padStart(4, '0');
  const offset = (head.length / 2 + 15).toString(16).padStart(4, '0');
  return `${head}61${size}61${offset}${push(0)}3961${size}${push(0)}f35b${runtime}`;
}

export interface RandomChain {
  /** What to give to the next block. */
  next(baseFee: bigint): BlockInput;
  /** Tells which transactions were dropped and what was created. */
  learn(result: { readonly dropped: readonly { readonly index: number }[]; readonly created: readonly Hex[] }): void;
}

interface Planned {
  readonly raw: Uint8Array;
  /** The wallet whose nonce grows when the transaction is in the block. */
  readonly wallet: number | undefined;
}

/** A chain of random blocks: every transaction type, contracts that do random things, and much that must be dropped. */
export function createRandomChain(dice: Dice): RandomChain {
  const nonces = WALLETS.map(() => 0);
  const contracts: Hex[] = [];
  let [timestamp, origin, delayed] = [GENESIS.timestamp, 7n, 0n];
  let planned: Planned[] = [];

  const targets = (): Hex[] => [
    ...STRANGERS,
    ...WALLETS.map(({ address }) => address.toLowerCase() as Hex),
    ...contracts.slice(-8),
    ...contracts.slice(-4).map((from) => getCreateAddress({ from, nonce: 1 }).toLowerCase() as Hex),
  ];

  const plan = (local: number[], baseFee: bigint): Planned => {
    const wallet = dice.below(WALLETS.length);
    const signer = WALLETS[wallet] as Wallet;
    const isOff = dice.chance(8);
    const nonce = Math.max(0, (local[wallet] ?? 0) + (isOff ? dice.pick([-1, 1, 5]) : 0));
    const isCreate = dice.chance(35);
    const to = isCreate ? null : dice.pick(targets());
    const type = dice.pick([0, 1, 2, 2]);
    const price = dice.chance(5) ? baseFee - 1n : baseFee + BigInt(dice.below(5)) * GWEI;
    const fields: Record<string, unknown> = {
      type,
      chainId: type === 0 && dice.chance(20) ? 0n : dice.chance(2) ? CHAIN_ID + 1n : CHAIN_ID,
      nonce,
      gasLimit: dice.chance(10) ? dice.pick([20_999, 21_000, 53_000, 31_000_000]) : 60_000 + dice.below(900_000),
      to,
      value: dice.chance(3) ? 10n ** 30n : BigInt(dice.below(4)),
      data: isCreate
        ? `0x${initCode(dice, targets(), 2, 1 + dice.below(4))}`
        : `0x${byte(dice.below(256)).repeat(dice.below(50))}`,
    };
    if (type === 2) Object.assign(fields, { maxFeePerGas: price, maxPriorityFeePerGas: BigInt(dice.below(3)) });
    else fields.gasPrice = price;
    if (type !== 0 && dice.chance(50))
      fields.accessList = [
        { address: dice.pick(targets()), storageKeys: [`0x${byte(dice.below(6)).padStart(64, '0')}`] },
      ];
    const tx = Transaction.from(fields);
    tx.signature = signer.signingKey.sign(tx.unsignedHash);
    const raw = hexToBytes(tx.serialized as Hex);
    if (dice.chance(4)) {
      const at = dice.below(raw.length);
      raw[at] = (raw[at] ?? 0) ^ (1 << dice.below(8));
      return { raw, wallet: undefined };
    }
    local[wallet] = nonce + 1;
    return { raw, wallet };
  };

  return {
    next(baseFee) {
      timestamp += BigInt(dice.below(3));
      origin += BigInt(dice.below(2));
      const local = [...nonces];
      planned = Array.from({ length: dice.below(10) }, () => plan(local, baseFee));
      const deposits = Array.from({ length: dice.chance(30) ? 1 + dice.below(3) : 0 }, (_, i): Deposit => {
        return {
          index: delayed + BigInt(i),
          to: dice.pick(targets()),
          amountWei: BigInt(dice.below(3)) * (ETHER / 2n),
        };
      });
      const delayedMessages = deposits.length + dice.below(2);
      delayed += BigInt(delayedMessages);
      const hash = `0x${origin.toString(16).padStart(64, 'c')}` as const;
      const transactions = planned.map(({ raw }) => raw);
      const parameters = dice.chance(15) ? { feeFloorWei: BigInt(dice.below(3)) * GWEI, fork: 0 } : undefined;
      return {
        timestamp,
        l1Origin: { number: origin, hash },
        delayedMessages,
        deposits,
        feeRecipient: FEE_RECIPIENT,
        transactions,
        parameters,
      };
    },
    learn({ dropped, created }) {
      const gone = new Set(dropped.map(({ index }) => index));
      for (const [index, { wallet }] of planned.entries())
        if (wallet !== undefined && !gone.has(index)) nonces[wallet] = (nonces[wallet] ?? 0) + 1;
      contracts.push(...created);
    },
  };
}
