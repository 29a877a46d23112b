import type { FrameLog, MachineCallResult, MachineFrame } from '../../../../machine/host/call-results.ts';
import { bytesToHex } from '../../../../protocol/rollup/bytes.ts';
import { haltWords } from '../evm-words.ts';
import { revertReason } from '../revert-reason.ts';
import { assertWhole, type TraceConfig, type TracedCall, TraceTooLarge } from './trace-config.ts';

const MAX_FRAMES = 20_000;

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

/** How a call ended; `error` is the EVM's reason, empty when it succeeded. */
interface End {
  readonly gasUsed: bigint;
  readonly output: Uint8Array;
  readonly error: string;
  readonly isRevert: boolean;
}

type Config = Extract<TraceConfig, { tracer: 'callTracer' }>;

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

function settle(frame: Frame, { gasUsed, output, error, isRevert }: End): void {
  frame.gasUsed = hex(gasUsed);
  if (output.length > 0) frame.output = bytesToHex(output);
  if (error === '') return;
  frame.error = isRevert ? 'execution reverted' : haltWords(error);
  if (frame.type.startsWith('CREATE')) delete frame.to;
  const reason = isRevert ? revertReason(output) : undefined;
  if (reason !== undefined) frame.revertReason = reason;
  clearLogs(frame);
}

/** A frame that failed left no logs, nor did what it called. */
function clearLogs(frame: Frame): void {
  delete frame.logs;
  for (const call of frame.calls ?? []) clearLogs(call);
}

function toFrame({ kind, from, to, value, gas, input }: MachineFrame): Frame {
  return {
    type: kind,
    from,
    to,
    gas: hex(gas),
    gasUsed: '0x0',
    ...(kind !== 'STATICCALL' && { value: hex(value) }),
    input: bytesToHex(input),
  };
}

/** The reverts of Solidity are `Revert`; the EVM ends calls that cannot begin (no funds, too deep) in the same way. */
function endOf({ gasUsed, output, error }: MachineFrame): End {
  return { gasUsed, output, error, isRevert: error === 'Revert' };
}

function renderLog({ address, topics, data, position }: FrameLog, index: number): object {
  return { address, topics, data, index: hex(index), position: hex(position) };
}

/** The frames below the transaction's own, each in the list of the one that called it. */
function buildTree(frames: readonly MachineFrame[], top: Frame, withLog: boolean): void {
  const open: { readonly frame: Frame; readonly end: End | undefined }[] = [{ frame: top, end: undefined }];
  let logs = 0;
  const close = (): void => {
    const last = open.pop();
    if (last?.end !== undefined) settle(last.frame, last.end);
  };
  const takeLogs = (frame: Frame, { logs: own }: MachineFrame): void => {
    if (!withLog || own.length === 0) return;
    frame.logs = own.map((log) => renderLog(log, logs++));
  };
  for (const [at, each] of frames.entries()) {
    if (at === 0) {
      takeLogs(top, each);
      continue;
    }
    while (open.length > each.depth) close();
    const frame = toFrame(each);
    takeLogs(frame, each);
    const parent = open.at(-1)?.frame ?? top;
    parent.calls ??= [];
    parent.calls.push(frame);
    open.push({ frame, end: endOf(each) });
  }
  while (open.length > 0) close();
}

/** The tree of calls, as geth's callTracer gives it. */
export function renderCalls({ onlyTopCall, withLog }: Config, call: TracedCall, result: MachineCallResult): unknown {
  assertWhole(result, 'calls and their data');
  const { frames, outcome, gasUsed, output, reason } = result;
  if (frames.length > MAX_FRAMES) throw new TraceTooLarge(`${MAX_FRAMES} calls`);
  const isCreation = call.to === undefined;
  const to = call.to ?? frames[0]?.to;
  const top: Frame = {
    type: isCreation ? 'CREATE' : 'CALL',
    from: call.from,
    ...(to !== undefined && { to }),
    gas: hex(call.gas),
    gasUsed: '0x0',
    value: hex(call.value),
    input: call.input,
  };
  buildTree(onlyTopCall ? frames.slice(0, 1) : frames, top, withLog);
  // The transaction's own costs are part of the top call.
  const isRevert = outcome === 'reverted';
  settle(top, { gasUsed, output, error: outcome === 'ok' ? '' : reason || 'Revert', isRevert });
  return top;
}
