import type { InterpreterStep } from '@ethereumjs/evm';
import type { Hex } from '../../../../protocol/brand.ts';
import { bytesToHex } from '../../../../protocol/rollup/bytes.ts';
import { type TraceConfig, type Tracer, TraceTooLarge } from './tracer.ts';

const MAX_STEPS = 20_000;
/** Of JSON, about: what the gateway and the crossing still carry. */
const MAX_CHARS = 24 * 1024 * 1024;
const WORD_CHARS = 70;
const STEP_CHARS = 100;

type Config = Extract<TraceConfig, { tracer: 'structLogger' }>;

function word(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

function wordsOf(memory: Uint8Array): string[] {
  const words: string[] = [];
  for (let at = 0; at < memory.length; at += 32) words.push(bytesToHex(memory.subarray(at, at + 32)));
  return words;
}

/** Every step of the EVM, as geth's opcode logger gives them. */
export function createStructLogger(config: Config): Tracer {
  const steps: Record<string, unknown>[] = [];
  const storages = new Map<string, Record<string, Hex>>();
  let chars = 0;
  /** What SLOAD read is on the stack of the next step. */
  let loading: { readonly depth: number; readonly slot: string; readonly of: Record<string, Hex>[] } | undefined;

  function takeLoaded({ depth, stack }: InterpreterStep): void {
    if (loading?.depth === depth) for (const storage of loading.of) storage[loading.slot] = word(stack.at(-1) ?? 0n);
    loading = undefined;
  }

  function storageOf({ opcode, stack, address, depth }: InterpreterStep): Record<string, Hex> | undefined {
    if (config.disableStorage || (opcode.name !== 'SLOAD' && opcode.name !== 'SSTORE')) return undefined;
    const slot = word(stack.at(-1) ?? 0n);
    const known = storages.get(address.toString()) ?? {};
    storages.set(address.toString(), known);
    if (opcode.name === 'SSTORE') known[slot] = word(stack.at(-2) ?? 0n);
    const shown = { ...known };
    if (opcode.name === 'SLOAD') loading = { depth, slot, of: [known, shown] };
    return shown;
  }

  function record(step: InterpreterStep): void {
    takeLoaded(step);
    if (config.limit > 0 && steps.length >= config.limit) return;
    const { pc, opcode, gasLeft, gasRefund, depth, stack, memory } = step;
    const storage = storageOf(step);
    const kept = (config.disableStack ? 0 : stack.length) + (config.enableMemory ? memory.length / 32 : 0);
    chars += STEP_CHARS + WORD_CHARS * (kept + 2 * Object.keys(storage ?? {}).length);
    // Thrown into the EVM: nothing more is computed for a trace that nobody can take.
    if (steps.length >= MAX_STEPS) throw new TraceTooLarge(`${MAX_STEPS} steps`);
    if (chars > MAX_CHARS) throw new TraceTooLarge(`${MAX_CHARS} bytes`);
    steps.push({
      pc,
      op: opcode.name,
      gas: Number(gasLeft),
      gasCost: Number(opcode.dynamicFee ?? opcode.fee),
      depth: depth + 1,
      ...(gasRefund > 0n && { refund: Number(gasRefund) }),
      ...(!config.disableStack && { stack: stack.map((value) => `0x${value.toString(16)}`) }),
      ...(config.enableMemory && { memory: wordsOf(memory) }),
      ...(storage && { storage }),
    });
  }

  return {
    attach(vm) {
      vm.evm.events?.on('step', (step) => record(step));
    },
    result: async ({ gasUsed, returned, exception }) => ({
      gas: Number(gasUsed),
      failed: exception !== undefined,
      returnValue: bytesToHex(returned),
      structLogs: steps,
    }),
  };
}
