import type { InterpreterStep, Message } from '@ethereumjs/evm';
import { createAddressFromString, KECCAK256_NULL_S } from '@ethereumjs/util';
import type { Hex } from '../../../../protocol/brand.ts';
import { bytesToHex } from '../../../../protocol/rollup/bytes.ts';
import type { StateTrie } from '../../../../protocol/rollup/state-trie.ts';
import { type TraceConfig, type TracedCall, type Tracer, TraceTooLarge } from './tracer.ts';

const MAX_ENTRIES = 20_000;
/** Opcodes that look at the slot, or at the account, on top of the stack. */
const STORAGE = new Set(['SLOAD', 'SSTORE']);
const ACCOUNTS = new Set(['BALANCE', 'EXTCODESIZE', 'EXTCODECOPY', 'EXTCODEHASH', 'SELFDESTRUCT']);
const ADDRESS_MASK = (1n << 160n) - 1n;

interface Seen {
  balance?: string;
  nonce?: number;
  code?: Hex;
  codeHash?: Hex;
  storage?: Record<Hex, Hex>;
}

function addressOf(value: bigint): Hex {
  return `0x${(value & ADDRESS_MASK).toString(16).padStart(40, '0')}`;
}

function slotOf(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

/** An account in full, with these of its slots; undefined when there is none. */
async function readAccount({ manager }: StateTrie, hex: Hex, slots: Iterable<Hex>): Promise<Seen | undefined> {
  const address = createAddressFromString(hex);
  const account = await manager.getAccount(address);
  if (account === undefined) return undefined;
  const codeHash = bytesToHex(account.codeHash);
  const storage: Record<Hex, Hex> = {};
  for (const slot of slots) {
    const value = await manager.getStorage(address, Buffer.from(slot.slice(2), 'hex'));
    storage[slot] = slotOf(BigInt(`0x0${bytesToHex(value).slice(2)}`));
  }
  return {
    balance: `0x${account.balance.toString(16)}`,
    ...(account.nonce > 0n && { nonce: Number(account.nonce) }),
    ...(codeHash !== KECCAK256_NULL_S && { code: bytesToHex(await manager.getCode(address)), codeHash }),
    ...(Object.keys(storage).length > 0 && { storage }),
  };
}

const ZERO_WORD = slotOf(0n);

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
  for (const [slot, value] of Object.entries(before.storage ?? {}) as [Hex, Hex][]) {
    const next = after?.storage?.[slot] ?? ZERO_WORD;
    if (value === next) continue;
    if (value !== ZERO_WORD) preStorage[slot] = value;
    if (next !== ZERO_WORD) postStorage[slot] = next;
  }
  const changed = [preStorage, postStorage].some((storage) => Object.keys(storage).length > 0);
  if (after !== undefined && Object.keys(post).length === 0 && !changed) return undefined;
  const { storage: _, ...rest } = before;
  return {
    pre: { ...rest, ...(Object.keys(preStorage).length > 0 && { storage: preStorage }) },
    post: { ...post, ...(Object.keys(postStorage).length > 0 && { storage: postStorage }) },
  };
}

/** The state that a transaction touches, as geth's prestateTracer gives it: before it, or what it changes. */
export function createPrestateTracer(
  call: TracedCall,
  { diffMode }: Extract<TraceConfig, { tracer: 'prestateTracer' }>,
): Tracer {
  const touched = new Map<Hex, Set<Hex>>();
  let entries = 0;

  function touch(address: Hex, slot?: bigint): void {
    const slots = touched.get(address) ?? new Set<Hex>();
    if (!touched.has(address)) entries += 1;
    touched.set(address, slots);
    if (slot !== undefined && !slots.has(slotOf(slot))) {
      entries += 1;
      slots.add(slotOf(slot));
    }
    // Thrown into the EVM: nothing more is computed for a trace that nobody can take.
    if (entries > MAX_ENTRIES) throw new TraceTooLarge(`${MAX_ENTRIES} accounts and slots`);
  }

  function step({ opcode, stack, address }: InterpreterStep): void {
    const top = stack.at(-1) ?? 0n;
    if (STORAGE.has(opcode.name)) touch(address.toString() as Hex, top);
    else if (ACCOUNTS.has(opcode.name)) touch(addressOf(top));
  }

  function before(message: Message): void {
    touch(message.caller.toString() as Hex);
    // A creation has no target yet; `newContract` names it.
    if (message.to === undefined) return;
    touch(message.to.toString() as Hex);
    touch(message.codeAddress.toString() as Hex);
  }

  return {
    attach(vm) {
      touch(call.from);
      touch(call.coinbase);
      if (call.to !== undefined) touch(call.to);
      vm.evm.events?.on('beforeMessage', (message) => before(message));
      vm.evm.events?.on('newContract', ({ address }) => touch(address.toString() as Hex));
      vm.evm.events?.on('step', (at) => step(at));
    },
    async result(_end, states) {
      const [pre, post]: [Record<Hex, Seen>, Record<Hex, Seen>] = [{}, {}];
      for (const [address, slots] of touched) {
        const was = (await readAccount(states.before, address, slots)) ?? { balance: '0x0' };
        if (!diffMode) {
          pre[address] = was;
          continue;
        }
        const change = difference(was, await readAccount(states.after, address, slots));
        if (change === undefined) continue;
        pre[address] = change.pre;
        if (Object.keys(change.post).length > 0) post[address] = change.post;
      }
      return diffMode ? { pre, post } : pre;
    },
  };
}
