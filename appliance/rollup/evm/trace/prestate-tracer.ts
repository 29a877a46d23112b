import { keccak256 } from 'ethers';
import type { AccountSide, MachineCallResult, TouchedAccount } from '../../../../machine/host/call-results.ts';
import type { Hex } from '../../../../protocol/brand.ts';
import { bytesToHex } from '../../../../protocol/rollup/bytes.ts';
import { assertWhole, type TraceConfig } from './trace-config.ts';

interface Seen {
  balance?: string;
  nonce?: number;
  code?: Hex;
  codeHash?: Hex;
  storage?: Record<Hex, Hex>;
}

function word(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

const ZERO_WORD = word(0n);

/** An account in full; undefined when there is none, which is the same as an empty one (EIP-161). */
function see({ balanceWei, nonce, code }: AccountSide, storage: Record<Hex, Hex>): Seen | undefined {
  if (balanceWei === 0n && nonce === 0n && code.length === 0) return undefined;
  return {
    balance: `0x${balanceWei.toString(16)}`,
    ...(nonce > 0n && { nonce: Number(nonce) }),
    ...(code.length > 0 && { code: bytesToHex(code), codeHash: keccak256(code) as Hex }),
    ...(Object.keys(storage).length > 0 && { storage }),
  };
}

function slotsOf({ slots }: TouchedAccount, side: 'before' | 'after'): Record<Hex, Hex> {
  return Object.fromEntries(slots.map((slot) => [word(slot.slot), word(slot[side])]));
}

/** What of an account is another after the transaction: before, and after. */
function difference(before: Seen, after: Seen | undefined): { pre: Seen; post: Seen } | undefined {
  const post: Seen = {};
  if (after !== undefined) {
    if (after.balance !== before.balance) post.balance = after.balance ?? '0x0';
    if (after.nonce !== before.nonce) post.nonce = after.nonce ?? 0;
    if (after.code !== before.code && after.code !== undefined) {
      post.code = after.code;
      if (after.codeHash !== undefined) post.codeHash = after.codeHash;
    }
  }
  const [preStorage, postStorage]: [Record<Hex, Hex>, Record<Hex, Hex>] = [{}, {}];
  const slots = new Set([...Object.keys(before.storage ?? {}), ...Object.keys(after?.storage ?? {})]) as Set<Hex>;
  for (const slot of slots) {
    const value = before.storage?.[slot] ?? ZERO_WORD;
    const next = after?.storage?.[slot] ?? ZERO_WORD;
    if (value === next) continue;
    if (value !== ZERO_WORD) preStorage[slot] = value;
    if (next !== ZERO_WORD) postStorage[slot] = next;
  }
  const isChanged = [post, preStorage, postStorage].some((fields) => Object.keys(fields).length > 0);
  if (after !== undefined && !isChanged) return undefined;
  const { storage: _, ...rest } = before;
  return {
    pre: { ...rest, ...(Object.keys(preStorage).length > 0 && { storage: preStorage }) },
    post: { ...post, ...(Object.keys(postStorage).length > 0 && { storage: postStorage }) },
  };
}

/** The state that a transaction touches, as geth's prestateTracer gives it: before it, or what it changes. */
export function renderPrestate(
  { diffMode }: Extract<TraceConfig, { tracer: 'prestateTracer' }>,
  result: MachineCallResult,
): unknown {
  assertWhole(result, 'accounts, slots and code');
  const [pre, post]: [Record<Hex, Seen>, Record<Hex, Seen>] = [{}, {}];
  for (const account of result.touched) {
    const { address } = account;
    const was = see(account.before, slotsOf(account, 'before')) ?? { balance: '0x0' };
    if (!diffMode) {
      pre[address] = was;
      continue;
    }
    const change = difference(was, see(account.after, slotsOf(account, 'after')));
    if (change === undefined) continue;
    pre[address] = change.pre;
    if (Object.keys(change.post).length > 0) post[address] = { ...change.post };
  }
  return diffMode ? { pre, post } : pre;
}
