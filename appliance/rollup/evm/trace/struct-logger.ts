import { type MachineCallResult, type MachineStepRecord, readSteps } from '../../../../machine/host/call-results.ts';
import type { Wanted } from '../../../../machine/host/calls.ts';
import type { Hex } from '../../../../protocol/brand.ts';
import { bytesToHex } from '../../../../protocol/rollup/bytes.ts';
import { opcodeName } from './opcode-names.ts';
import { type TraceConfig, TraceTooLarge } from './trace-config.ts';

/** As many as the machine keeps of one transaction. */
const MAX_STEPS = 20_000;
/** Of JSON, about: what the gateway and the crossing still carry. */
const MAX_CHARS = 24 * 1024 * 1024;
const WORD_CHARS = 70;
const STEP_CHARS = 100;
/** The deepest that the EVM's stack can be, and what SLOAD and SSTORE have on top of it. */
const WHOLE_STACK = 1_024;
const STORAGE_STACK = 2;

type Config = Extract<TraceConfig, { tracer: 'structLogger' }>;

export function wantedSteps({
  limit,
  disableStack,
  disableStorage,
  enableMemory,
}: Config): NonNullable<Wanted['steps']> {
  const stackWords = disableStack ? (disableStorage ? 0 : STORAGE_STACK) : WHOLE_STACK;
  // One more than is shown: what SLOAD of the last one read is on the stack of the next.
  return { limit: limit === 0 ? 0 : limit + 1, stackWords, memory: enableMemory };
}

function word(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

function wordsOf(memory: Uint8Array): string[] {
  const words: string[] = [];
  for (let at = 0; at < memory.length; at += 32) words.push(bytesToHex(memory.subarray(at, at + 32)));
  return words;
}

/** What the steps have shown of each contract's storage so far. */
class SeenStorage {
  readonly #byContract = new Map<Hex, Record<string, Hex>>();
  /** What SLOAD read is on the stack of the next step. */
  #loading: { readonly depth: number; readonly slot: string; readonly of: Record<string, Hex>[] } | undefined;

  take({ depth, stack, contract }: MachineStepRecord, name: string): Record<string, Hex> | undefined {
    if (this.#loading?.depth === depth)
      for (const storage of this.#loading.of) storage[this.#loading.slot] = word(stack.at(-1) ?? 0n);
    this.#loading = undefined;
    if (name !== 'SLOAD' && name !== 'SSTORE') return undefined;
    const slot = word(stack.at(-1) ?? 0n);
    const known = this.#byContract.get(contract) ?? {};
    this.#byContract.set(contract, known);
    if (name === 'SSTORE') known[slot] = word(stack.at(-2) ?? 0n);
    const shown = { ...known };
    if (name === 'SLOAD') this.#loading = { depth, slot, of: [known, shown] };
    return shown;
  }
}

/** Every step of the EVM, as geth's opcode logger gives them. */
export function renderSteps(config: Config, result: MachineCallResult): unknown {
  if (result.isCut)
    throw new TraceTooLarge(countSteps(result) < MAX_STEPS ? `${MAX_CHARS} bytes` : `${MAX_STEPS} steps`);
  const storage = new SeenStorage();
  const structLogs: Record<string, unknown>[] = [];
  let chars = 0;
  for (const step of readSteps(result.steps)) {
    const op = opcodeName(step.opcode);
    const seen = config.disableStorage ? undefined : storage.take(step, op);
    if (config.limit > 0 && structLogs.length >= config.limit) break;
    const kept = (config.disableStack ? 0 : step.stack.length) + step.memory.length / 32;
    chars += STEP_CHARS + WORD_CHARS * (kept + 2 * Object.keys(seen ?? {}).length);
    if (chars > MAX_CHARS) throw new TraceTooLarge(`${MAX_CHARS} bytes`);
    structLogs.push({
      pc: step.pc,
      op,
      gas: Number(step.gas),
      gasCost: Number(step.cost),
      depth: step.depth,
      ...(step.refund > 0n && { refund: Number(step.refund) }),
      ...(!config.disableStack && { stack: step.stack.map((value) => `0x${value.toString(16)}`) }),
      ...(config.enableMemory && { memory: wordsOf(step.memory) }),
      ...(seen && { storage: seen }),
    });
  }
  const { gasUsed, outcome, output } = result;
  return { gas: Number(gasUsed), failed: outcome !== 'ok', returnValue: bytesToHex(output), structLogs };
}

function countSteps({ steps }: MachineCallResult): number {
  let count = 0;
  for (const _ of readSteps(steps)) count += 1;
  return count;
}
