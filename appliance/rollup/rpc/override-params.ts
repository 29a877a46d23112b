import type { Hex } from '../../../protocol/brand.ts';
import type { AccountOverride, BlockOverride, CallOverrides } from '../evm/call-request.ts';
import { parseAddress, parseBytes, parseHash, parseObject, parseQuantity } from './params.ts';
import { invalidParams } from './rpc-error.ts';

/** Of one call, in all accounts. */
const MAX_ACCOUNTS = 256;
const MAX_SLOTS = 4_096;
const MAX_64_BIT = (1n << 64n) - 1n;
const MAX_GAS = 30_000_000n;
const ACCOUNT_FIELDS = ['balance', 'nonce', 'code', 'state', 'stateDiff'];

function present(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** What is not understood is refused: an override that is left out silently gives a wrong answer. */
function assertKnown(of: Record<string, unknown>, names: readonly string[], what: string): void {
  const other = Object.keys(of).find((name) => !names.includes(name));
  if (other !== undefined)
    throw invalidParams(`${what} override ${other.replace(/[^\x21-\x7e]/g, '?').slice(0, 64)} is not supported`);
}

function parseSlots(value: unknown, whole: boolean): NonNullable<AccountOverride['storage']> {
  const slots = Object.entries(parseObject(value, 'storage override')).map(([slot, word]): readonly [Hex, Hex] => [
    parseHash(slot, 'storage slot'),
    parseHash(word, 'storage value'),
  ]);
  return { whole, slots };
}

function within(value: unknown, name: string, limit: bigint): bigint {
  const quantity = parseQuantity(value, name);
  if (quantity > limit) throw invalidParams(`${name} is above ${limit}`);
  return quantity;
}

function parseAccount(address: string, value: unknown): AccountOverride {
  const fields = parseObject(value, 'state override');
  assertKnown(fields, ACCOUNT_FIELDS, 'state');
  const { balance, nonce, code, state, stateDiff } = fields;
  if (present(state) && present(stateDiff)) throw invalidParams('a state override has both state and stateDiff');
  const storage = present(state)
    ? parseSlots(state, true)
    : present(stateDiff)
      ? parseSlots(stateDiff, false)
      : undefined;
  return {
    address: parseAddress(address, 'state override'),
    ...(present(balance) && { balance: parseQuantity(balance, 'balance') }),
    ...(present(nonce) && { nonce: within(nonce, 'nonce', MAX_64_BIT) }),
    ...(present(code) && { code: parseBytes(code, 'code') }),
    ...(storage && { storage }),
  };
}

function parseState(value: unknown): readonly AccountOverride[] {
  const accounts = Object.entries(parseObject(value, 'state overrides'));
  if (accounts.length > MAX_ACCOUNTS) throw invalidParams(`state overrides name more than ${MAX_ACCOUNTS} accounts`);
  const parsed = accounts.map(([address, fields]) => parseAccount(address, fields));
  const slots = parsed.reduce((sum, { storage }) => sum + (storage?.slots.length ?? 0), 0);
  if (slots > MAX_SLOTS) throw invalidParams(`state overrides name more than ${MAX_SLOTS} slots`);
  return parsed;
}

const BLOCK_FIELDS = [
  'number',
  'time',
  'gasLimit',
  'feeRecipient',
  'coinbase',
  'prevRandao',
  'random',
  'baseFeePerGas',
  'baseFee',
];

function parseBlock(value: unknown): BlockOverride {
  const fields = parseObject(value, 'block overrides');
  // Under the names of the specification, and those that geth had before.
  assertKnown(fields, [...BLOCK_FIELDS, 'difficulty'], 'block');
  const { number, time, gasLimit, feeRecipient, coinbase, prevRandao, random, baseFeePerGas, baseFee } = fields;
  const [recipient, randao, fee] = [feeRecipient ?? coinbase, prevRandao ?? random, baseFeePerGas ?? baseFee];
  return {
    ...(present(number) && { number: within(number, 'number', MAX_64_BIT) }),
    ...(present(time) && { time: within(time, 'time', MAX_64_BIT) }),
    ...(present(gasLimit) && { gasLimit: within(gasLimit, 'gasLimit', MAX_GAS) }),
    ...(present(recipient) && { feeRecipient: parseAddress(recipient, 'feeRecipient') }),
    ...(present(randao) && {
      prevRandao: `0x${parseQuantity(randao, 'prevRandao').toString(16).padStart(64, '0')}` as Hex,
    }),
    ...(present(fee) && { baseFeePerGas: within(fee, 'baseFeePerGas', MAX_64_BIT) }),
  };
}

/** Parses the untrusted third and fourth parameter of eth_call; undefined when there is nothing to override. */
export function parseOverrides(state: unknown, block: unknown): CallOverrides | undefined {
  if (!present(state) && !present(block)) return undefined;
  return {
    ...(present(state) && { state: parseState(state) }),
    ...(present(block) && { block: parseBlock(block) }),
  };
}
