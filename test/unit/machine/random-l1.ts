import { AbiCoder, hexlify, Transaction, type Wallet } from 'ethers';
import { MAX_ORIGIN_AGE, MAX_TIME_DRIFT_S } from '../../../appliance/rollup/derive/batch-rules.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { type BatchBlock, encodeBatch } from '../../../protocol/rollup/batch.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { addressOf, CHAIN_ID, ETHER, GWEI } from '../appliance/rollup/execute/chain-fixture.ts';
import { type L1History, type NewBatch, type NewMessage, toBlobs } from './l1-history.ts';
import { type Dice, WALLETS } from './random-blocks.ts';

/** Where the generator believes L2 to stand; what it is wrong about is a case of its own. */
export interface Guess {
  timestamp: bigint;
  origin: bigint;
  read: bigint;
  /** Next nonce by sender. */
  readonly nonces: Map<Hex, number>;
}

const encode = (values: readonly bigint[]): Hex =>
  AbiCoder.defaultAbiCoder().encode(
    values.map(() => 'uint256'),
    values,
  ) as Hex;

function noise(dice: Dice, most: number): Uint8Array {
  return Uint8Array.from({ length: dice.below(most) }, () => dice.below(256));
}

/** Lends the account to the next one; the nonce is seldom right, and then it changes who may send. */
function authorization(dice: Dice, wallet: Wallet) {
  return wallet.authorizeSync({
    address: addressOf(dice.pick(WALLETS)),
    nonce: dice.below(2),
    chainId: dice.pick([0n, CHAIN_ID]),
  });
}

function transaction(dice: Dice, { nonces }: Guess, forced: boolean): Uint8Array {
  if (dice.chance(8)) return noise(dice, 90);
  const wallet = dice.pick(WALLETS);
  const sender = addressOf(wallet);
  const nonce = (nonces.get(sender) ?? 0) + (dice.chance(10) ? dice.pick([1, 3]) : 0);
  const tx = Transaction.from({
    type: dice.pick([0, 1, 2, 2, 4]),
    chainId: dice.chance(4) ? CHAIN_ID + 1n : CHAIN_ID,
    nonce,
    gasLimit: dice.pick(forced ? [7_500_000, 7_500_001, 21_000, 60_000, 20_999] : [21_000, 90_000, 29_000_000, 20_999]),
    ...{ to: addressOf(dice.pick(WALLETS)), value: dice.chance(5) ? 10n ** 30n : BigInt(dice.below(5)) },
    data: hexlify(noise(dice, 20)),
  });
  if (tx.type === 4) tx.authorizationList = [authorization(dice, dice.pick(WALLETS))];
  if (tx.type === 2 || tx.type === 4)
    Object.assign(tx, { maxFeePerGas: 5n * GWEI, maxPriorityFeePerGas: BigInt(dice.below(3)) });
  else tx.gasPrice = dice.chance(5) ? 1n : 5n * GWEI;
  tx.signature = wallet.signingKey.sign(tx.unsignedHash);
  const raw = hexToBytes(tx.serialized as Hex);
  if (dice.chance(4)) raw[dice.below(raw.length)] = dice.below(256);
  else if (nonce === (nonces.get(sender) ?? 0)) nonces.set(sender, nonce + 1);
  return raw;
}

function message(dice: Dice, guess: Guess): NewMessage {
  const to = dice.chance(5) ? 1n << 160n : BigInt(addressOf(dice.pick(WALLETS)));
  const amounts = [1n, 0n, GWEI - 1n, GWEI, ETHER, (1n << 64n) * GWEI - 1n, (1n << 64n) * GWEI, (1n << 256n) - 1n];
  const floor = dice.chance(10) ? 1n << 64n : BigInt(dice.below(4)) * GWEI;
  const kinds: (() => NewMessage)[] = [
    () => ({ kind: 0, data: encode([to, dice.pick([ETHER, ETHER, ...amounts])]) }),
    () => ({ kind: 1, data: hexlify(transaction(dice, guess, true)) as Hex }),
    () => ({ kind: 1, data: hexlify(transaction(dice, guess, true)) as Hex }),
    () => ({ kind: 2, data: encode([floor, dice.chance(10) ? 256n : 0n]) }),
    () => ({ kind: dice.below(5), data: hexlify(noise(dice, 130)) as Hex }),
    () => ({ kind: 3 + dice.below(253), data: '0x' }),
    () => ({ kind: dice.pick([0, 1, 2]), data: '0x' }),
  ];
  if (dice.chance(1)) return { kind: 1, data: `0x02${'00'.repeat(32_768)}` };
  return dice.pick(kinds)();
}

function messages(dice: Dice, guess: Guess): NewMessage[] {
  if (dice.chance(4)) return Array.from({ length: dice.pick([255, 256, 257, 520]) }, () => ({ kind: 9, data: '0x' }));
  if (dice.chance(8)) {
    const length = 4 + dice.below(8);
    return Array.from({ length }, () => ({ kind: 1, data: hexlify(transaction(dice, guess, true)) as Hex }));
  }
  return Array.from({ length: dice.chance(50) ? dice.below(6) : 0 }, () => message(dice, guess));
}

/** An origin for the next block: mostly right, sometimes at an edge or wrong. */
function origin(dice: Dice, history: L1History, guess: Guess, at: bigint): BatchBlock['l1Origin'] {
  const first = history.blocks[0]?.number ?? 0n;
  const newest = at - 1n;
  const forward = guess.origin + BigInt(dice.below(Number(newest - guess.origin) + 1));
  const edges = [at, at + 5n, guess.origin - 1n, first, first - 1n, at - MAX_ORIGIN_AGE, at - MAX_ORIGIN_AGE - 1n];
  const number = dice.chance(12) ? dice.pick(edges) : dice.pick([newest, newest, guess.origin, forward]);
  const known = history.blocks[Number(number - first)];
  const wrong: Hex = `0x${'dd'.repeat(32)}`;
  return { number: number < 0n ? 0n : number, hash: known === undefined || dice.chance(3) ? wrong : known.hash };
}

function later(a: bigint, b: bigint): bigint {
  return [a, b].reduce((one, other) => (one < other ? other : one));
}

function block(dice: Dice, history: L1History, guess: Guess, at: bigint): BatchBlock {
  const l1Origin = origin(dice, history, guess, at);
  const found =
    history.blocks[Number(l1Origin.number - (history.blocks[0]?.number ?? 0n))]?.timestamp ?? guess.timestamp;
  const earliest = later(found, guess.timestamp);
  const latest = found + MAX_TIME_DRIFT_S;
  const good = [earliest, earliest, earliest + 1n, later(earliest, latest)];
  const timestamp = dice.chance(6) ? dice.pick([earliest - 1n, latest + 1n]) : dice.pick(good);
  const waiting = Number(history.messageCount() - guess.read);
  const delayedMessages = dice.chance(50) ? 0 : Math.min(dice.pick([waiting, 1, 2, 4, 5, 256, 257]), 1_024);
  const transactions = Array.from({ length: dice.below(4) }, () => transaction(dice, guess, false));
  guess.timestamp = timestamp;
  if (l1Origin.number > guess.origin) guess.origin = l1Origin.number;
  return { timestamp, l1Origin, delayedMessages, transactions };
}

function plan(dice: Dice, history: L1History, guess: Guess, at: bigint): Uint8Array {
  if (dice.chance(4)) return new Uint8Array();
  if (dice.chance(4)) return noise(dice, 200);
  const blocks: BatchBlock[] = [];
  for (let count = dice.below(5); count > 0; count -= 1) {
    const next = block(dice, history, guess, at);
    const before = blocks.at(-1);
    // The codec holds no other; what goes backwards begins a batch.
    const { number, hash } = next.l1Origin;
    if (before !== undefined && (number < before.l1Origin.number || next.timestamp < before.timestamp)) continue;
    const same = before?.l1Origin.number === number ? before.l1Origin : { number, hash };
    blocks.push({ ...next, l1Origin: same });
  }
  const encoded = encodeBatch(blocks);
  if (dice.chance(4)) encoded[dice.below(encoded.length)] = dice.below(256);
  return encoded;
}

const UNREADABLE = Uint8Array.of(0xff);

function batch(dice: Dice, history: L1History, guess: Guess, limits: { from: bigint; to: bigint }): NewBatch {
  const { from, to } = limits;
  const at = history.tip().number + 1n;
  const between = from + BigInt(dice.below(Number(to - from) + 1));
  const delayedCount = dice.pick([from, between, to, to]);
  if (dice.chance(15)) return { source: 'forced', data: new Uint8Array(), delayedCount };
  const data = plan(dice, history, guess, at);
  if (dice.chance(75)) return { source: 'calldata', data, delayedCount };
  const blobs = toBlobs(data);
  if (dice.chance(30)) blobs.push(new Uint8Array(131_072));
  if (dice.chance(80)) return { source: 'blobs', data, delayedCount, blobs };
  // A field element past the modulus, or a length past the end.
  if (dice.chance(50)) blobs.at(-1)?.set([1], 32 * dice.below(4_096));
  else blobs[0]?.set([0, 0xff, 0xff], 0);
  return { source: 'blobs', data: UNREADABLE, delayedCount, blobs };
}

/** What the next L1 block brings. `read`: what the batches so far oblige L2 to have read. */
export function nextDelivery(dice: Dice, history: L1History, guess: Guess, read: bigint) {
  const fresh = messages(dice, guess);
  const seconds = BigInt(dice.pick([12, 12, 24, 600, 2_000]));
  const batches: NewBatch[] = [];
  const to = history.messageCount() + BigInt(fresh.length);
  let from = read;
  for (let count = dice.pick([0, 1, 1, 1, 2]); count > 0; count -= 1) {
    const next = batch(dice, history, guess, { from, to });
    from = next.delayedCount;
    batches.push(next);
  }
  return { seconds, messages: fresh, batches };
}
