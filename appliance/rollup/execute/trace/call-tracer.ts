import type { EVMResult, InterpreterStep, Message } from '@ethereumjs/evm';
import { bytesToHex } from '../../../../protocol/rollup/bytes.ts';
import { revertReason } from '../revert-reason.ts';
import {
  exceptionText,
  type TraceConfig,
  type TracedCall,
  type TraceEnd,
  type Tracer,
  TraceTooLarge,
} from './tracer.ts';

const MAX_FRAMES = 20_000;
const MAX_CHARS = 24 * 1024 * 1024;

interface Frame {
  type: string;
  from: string;
  to?: string;
  gas: string;
  gasUsed: string;
  value?: string;
  input: string;
  output?: string;
  error?: string;
  revertReason?: string;
  calls?: Frame[];
  logs?: object[];
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

function settle(frame: Frame, { gasUsed, returned, exception }: Omit<TraceEnd, 'created'>): void {
  frame.gasUsed = hex(gasUsed);
  if (returned.length > 0) frame.output = bytesToHex(returned);
  if (exception === undefined) return;
  frame.error = exceptionText(exception);
  if (frame.type.startsWith('CREATE')) delete frame.to;
  const reason = exception === 'revert' ? revertReason(returned) : undefined;
  if (reason !== undefined) frame.revertReason = reason;
  clearLogs(frame);
}

/** A frame that failed left no logs, nor did what it called. */
function clearLogs(frame: Frame): void {
  delete frame.logs;
  for (const call of frame.calls ?? []) clearLogs(call);
}

/** The tree of calls, as geth's callTracer gives it. */
export function createCallTracer(
  call: TracedCall,
  { onlyTopCall, withLog }: Extract<TraceConfig, { tracer: 'callTracer' }>,
): Tracer {
  const open: Frame[] = [];
  let root: Frame | undefined;
  let frames = 0;
  let chars = 0;
  let logs = 0;
  let lastOp = 'CALL';
  /** Thrown into the EVM: nothing more is computed for a trace that nobody can take. */
  function assertSize(): void {
    if (chars > MAX_CHARS) throw new TraceTooLarge(`${MAX_CHARS} bytes`);
  }

  function add(frame: Frame): void {
    frames += 1;
    chars += frame.input.length;
    if (frames > MAX_FRAMES) throw new TraceTooLarge(`${MAX_FRAMES} calls`);
    assertSize();
    const parent = open.at(-1);
    if (parent === undefined) root = frame;
    else if (!onlyTopCall) parent.calls = [...(parent.calls ?? []), frame];
  }

  function before(message: Message): void {
    const { to, caller, gasLimit, data, value, depth, code } = message;
    const type = depth === 0 ? (to === undefined ? 'CREATE' : 'CALL') : lastOp;
    const isBorrowed = type === 'DELEGATECALL' || type === 'CALLCODE';
    const target = isBorrowed ? message.codeAddress : to;
    const frame: Frame = {
      type,
      from: (type === 'DELEGATECALL' && to !== undefined ? to : caller).toString(),
      ...(target !== undefined && { to: target.toString() }),
      gas: hex(gasLimit),
      gasUsed: '0x0',
      ...(type !== 'STATICCALL' && { value: hex(value) }),
      input: bytesToHex(to === undefined && code instanceof Uint8Array ? code : data),
    };
    add(frame);
    open.push(frame);
  }

  function after({ execResult, createdAddress }: EVMResult): void {
    const frame = open.pop();
    if (frame === undefined) return;
    if (createdAddress !== undefined) frame.to = createdAddress.toString();
    const { executionGasUsed: gasUsed, returnValue: returned, exceptionError } = execResult;
    chars += 2 * returned.length;
    assertSize();
    settle(frame, { gasUsed, returned, exception: exceptionError?.error });
  }

  function takeLog({ opcode, stack, memory, address }: InterpreterStep): void {
    const frame = open.at(-1);
    if (!withLog || frame === undefined || (onlyTopCall && open.length > 1)) return;
    const [at, size] = [Number(stack.at(-1) ?? 0n), Number(stack.at(-2) ?? 0n)];
    const count = Number(opcode.name.slice(3));
    const data = new Uint8Array(Math.min(size, MAX_CHARS));
    data.set(memory.subarray(at, at + size).subarray(0, data.length));
    chars += 2 * size;
    assertSize();
    const topics = Array.from(
      { length: count },
      (_, i) => `0x${(stack.at(-3 - i) ?? 0n).toString(16).padStart(64, '0')}`,
    );
    const log = {
      address: address.toString(),
      topics,
      data: bytesToHex(data),
      index: hex(logs),
      position: hex(frame.calls?.length ?? 0),
    };
    logs += 1;
    frame.logs = [...(frame.logs ?? []), log];
  }

  function step(at: InterpreterStep): void {
    const { opcode, stack, address, account } = at;
    lastOp = opcode.name;
    if (/^LOG[0-4]$/.test(opcode.name)) takeLog(at);
    if (opcode.name !== 'SELFDESTRUCT' || onlyTopCall) return;
    const beneficiary = (stack.at(-1) ?? 0n) & ((1n << 160n) - 1n);
    const to = `0x${beneficiary.toString(16).padStart(40, '0')}`;
    const [from, value] = [address.toString(), hex(account.balance)];
    add({ type: 'SELFDESTRUCT', from, to, gas: '0x0', gasUsed: '0x0', value, input: '0x' });
  }

  return {
    attach(vm) {
      vm.evm.events?.on('beforeMessage', (message) => before(message));
      vm.evm.events?.on('afterMessage', (result) => after(result));
      vm.evm.events?.on('step', (at) => step(at));
    },
    async result(end) {
      const to = call.to ?? end.created;
      const top: Frame = {
        ...root,
        type: call.to === undefined ? 'CREATE' : 'CALL',
        from: call.from,
        ...(to !== undefined && { to }),
        gas: hex(call.gas),
        gasUsed: '0x0',
        value: hex(call.value),
        input: call.input,
      };
      // The transaction's own costs are part of the top call.
      settle(top, end);
      return top;
    },
  };
}
