import type { EVMResult, InterpreterStep, Message } from '@ethereumjs/evm';
import type { VM } from '@ethereumjs/vm';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { ReceiptLog } from '../../../protocol/rollup/receipt.ts';

/** Whom transfers of ETH are attributed to, and what they look like: an ERC-20's `Transfer(address,address,uint256)`. */
const EMITTER: Hex = '0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee';
const TRANSFER: Hex = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';

/** The logs of a transaction in order, transfers of ETH among them. */
export interface TransferLog {
  begin(): void;
  /** Those that stand: what a failed call did is undone. */
  end(succeeded: boolean): readonly ReceiptLog[];
}

function word(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

function transferOf(from: string, to: string, value: bigint): ReceiptLog {
  return { address: EMITTER, topics: [TRANSFER, word(BigInt(from)), word(BigInt(to))], data: word(value) };
}

/** Listens to the EVM: a call that moves ETH is a log, at its place between those that contracts write. */
export function createTransferLog(vm: VM): TransferLog {
  let logs: ReceiptLog[] = [];
  /** How many logs there were when each open call began. */
  const open: number[] = [];

  function before({ caller, to, value, delegatecall }: Message): void {
    open.push(logs.length);
    // Whom a creation makes is known when it is done: its place is kept.
    if (value > 0n && !delegatecall) logs.push(transferOf(caller.toString(), to?.toString() ?? '0x0', value));
  }

  function after({ execResult, createdAddress }: EVMResult): void {
    const from = open.pop() ?? 0;
    if (execResult.exceptionError !== undefined) logs.length = from;
    const first = logs[from];
    if (createdAddress === undefined || first?.address !== EMITTER || first.topics[2] !== word(0n)) return;
    logs[from] = { ...first, topics: [...first.topics.slice(0, 2), word(BigInt(createdAddress.toString()))] };
  }

  function step({ opcode, stack, memory, address }: InterpreterStep): void {
    if (!/^LOG[0-4]$/.test(opcode.name)) return;
    const [at, size] = [Number(stack.at(-1) ?? 0n), Number(stack.at(-2) ?? 0n)];
    const topics = Array.from({ length: Number(opcode.name.slice(3)) }, (_, i) => word(stack.at(-3 - i) ?? 0n));
    // Memory grows when the opcode runs, which is after this: what is beyond it is zero. Its gas bounds the size.
    const data = new Uint8Array(Math.min(size, MAX_DATA_BYTES));
    data.set(memory.subarray(at, at + data.length));
    logs.push({ address: address.toString() as Hex, topics, data: bytesToHex(data) });
  }

  vm.evm.events?.on('beforeMessage', (message) => before(message));
  vm.evm.events?.on('afterMessage', (result) => after(result));
  vm.evm.events?.on('step', (at) => step(at));
  return {
    begin() {
      logs = [];
      open.length = 0;
    },
    end: (succeeded) => (succeeded ? logs : []),
  };
}

const MAX_DATA_BYTES = 24 * 1024 * 1024;
