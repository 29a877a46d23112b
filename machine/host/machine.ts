/**
 * The machine as TypeScript sees it: one definition of batch decoding, execution and state (machine/core, Rust), compiled to
 * WebAssembly. Pure: all that it knows comes through `Preimages`. One block after the other; a second machine is a second
 * instance, in another worker if it is to run at the same time. Whoever wants a deadline ends the worker.
 */
import type { Hex } from '../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import type { BatchBlock } from '../../protocol/rollup/batch.ts';
import { bytesToHex, hexToBytes } from '../../protocol/rollup/bytes.ts';
import { FORKS, type ForkRules } from '../../protocol/rollup/fork.ts';
import {
  encodeBlobs,
  encodeBlockInput,
  type MachineBlock,
  type MachineBlockInput,
  readBatch,
  readBlock,
  readFresh,
  readSignature,
  type TransactionSignature,
  writeInput,
} from './blocks.ts';
import { type MachineCallResult, type MachineSimulated, readCallResults, readSimulated } from './call-results.ts';
import {
  type MachineSimulatedBlock,
  type MachineStep,
  type Wanted,
  word,
  writeSimulatedBlock,
  writeSlots,
  writeStep,
  writeWanted,
} from './calls.ts';
import {
  type DerivedInputs,
  type DerivedStep,
  type DerivePlace,
  encodePlace,
  nextPlace,
  readInputs,
  readStep,
} from './derive.ts';
import { type Call, createInstance, type FreshPreimage, type Instance, type Preimages } from './instance.ts';
import type { WasmModule } from './web-assembly.ts';
import { createWireReader, createWireWriter, type WireReader, type WireWriter } from './wire.ts';

export {
  encodeBlockInput,
  type MachineBlock,
  type MachineBlockInput,
  type TransactionSignature,
} from './blocks.ts';

export interface MachineRules extends ForkRules {
  readonly chainId: bigint;
}

export interface Machine {
  /**
   * Builds the block that follows `previous` (RLP of its header). Throws ROLLUP_BLOCK_INPUT_INVALID, ROLLUP_STATE_MISSING,
   * ROLLUP_MACHINE_FAULT and what the preimages throw. What is fresh must be there for the next block to find.
   */
  executeBlock(previous: Uint8Array, input: MachineBlockInput): MachineBlock;
  /** The same of a request that `encodeBlockInput` made; what is fresh comes as the machine wrote it (`readFresh`). */
  executeEncoded(request: Uint8Array): Omit<MachineBlock, 'fresh'> & { readonly freshBytes: Uint8Array };
  /**
   * The block that a batch makes at a place (docs/design/0013-derivation.md), from hashes alone. Throws as `executeBlock` does:
   * whatever the batch holds is an answer, what is missing is none.
   */
  deriveBlock(place: DerivePlace): DerivedStep;
  /**
   * All that a batch makes, from its start (offset 0) or a place within it, block by block; at least one step. What is fresh
   * must be there before the next step is asked for.
   */
  deriveBatch(
    start: Omit<DerivePlace, 'offset'> & { readonly offset?: bigint },
  ): Generator<DerivedStep, void, undefined>;
  /**
   * The inputs of the blocks that `deriveBatch` gives from this place on, and nothing executed: all that are left, or as many as
   * one answer may hold. The head's header is a preimage like the rest. Throws as `executeBlock` does.
   */
  deriveInputs(place: DerivePlace): DerivedInputs;
  /** The same of what `encodePlace` made, as the machine wrote it (`readInputs`). */
  deriveInputsEncoded(place: Uint8Array): Uint8Array;
  /** Undefined when the batch is malformed or past a limit. */
  decodeBatch(data: Uint8Array): BatchBlock[] | undefined;
  /** Raw DEFLATE as batches are read with; undefined unless it inflates to exactly `size` bytes. */
  inflate(data: Uint8Array, size: number): Uint8Array | undefined;
  /** What each transaction's sender signed; undefined for one that does not decode. */
  signatures(transactions: readonly Uint8Array[]): (TransactionSignature | undefined)[];
  /** The same of what `encodeBlobs` made. */
  signaturesEncoded(request: Uint8Array): (TransactionSignature | undefined)[];
  /**
   * Runs calls one after the other on the state after a block (RLP of its header), in its context. Nothing of it stays. Throws
   * ROLLUP_STATE_MISSING, ROLLUP_MACHINE_FAULT and what the preimages throw. A call may take as long as its gas lasts.
   */
  simulate(header: Uint8Array, steps: readonly MachineStep[], wanted?: Wanted): MachineCallResult[];
  /**
   * Runs a block of calls after the one with the header `previous` (RLP). What is fresh, and the header that the host makes of it,
   * must be there for the next block to stand on. Throws as `simulate` does.
   */
  simulateBlock(
    previous: Uint8Array,
    block: MachineSimulatedBlock,
    wanted?: Wanted,
  ): MachineSimulated & { readonly fresh: readonly FreshPreimage[] };
  /** Runs a built block's transactions again and says what the one at `only`, or each, did. */
  traceBlock(previous: Uint8Array, input: MachineBlockInput, wanted: Wanted, only?: number): MachineCallResult[];
  /** Writes accounts into an empty state. Its root (32 bytes), and what it reaches. */
  buildState(accounts: readonly MachineAccount[]): {
    readonly root: Uint8Array;
    readonly fresh: readonly FreshPreimage[];
  };
  /** Drops what is kept of the state between blocks. */
  forget(): void;
}

/** An account of a state that no block made. An empty one (EIP-161) does not exist. */
export interface MachineAccount {
  readonly address: Hex;
  readonly nonce: bigint;
  readonly balanceWei: bigint;
  readonly code: Uint8Array;
  /** Slots and values, below 2^256. */
  readonly storage: readonly (readonly [bigint, bigint])[];
}

/** Every transaction of the block. */
const ALL = 0xffff_ffff;
const STATUS = { ok: 0, missing: 1, invalid: 2 } as const;
const HASH_BYTES = 32;

function writeAccount(writer: WireWriter, { address, nonce, balanceWei, code, storage }: MachineAccount): void {
  writer.bytes(hexToBytes(address));
  writer.u64(nonce);
  writer.bytes(word(balanceWei));
  writer.blob(code);
  writeSlots(writer, storage);
}

function failure(status: number, output: Uint8Array): NectarError {
  if (status === STATUS.missing)
    return new NectarError('ROLLUP_STATE_MISSING', { hash: bytesToHex(output.subarray(1)) });
  if (status !== STATUS.invalid)
    return new NectarError('ROLLUP_MACHINE_FAULT', { reason: new TextDecoder().decode(output) });
  const reader = createWireReader(output);
  const number = reader.u64();
  return new NectarError('ROLLUP_BLOCK_INPUT_INVALID', {
    number,
    reason: new TextDecoder().decode(output.subarray(8)),
  });
}

/** Makes a machine from the compiled module. Throws ROLLUP_MACHINE_INVALID when the module speaks another interface. */
export function createMachine(module: WasmModule, rules: MachineRules, preimages: Preimages): Machine {
  const start = (): Instance => {
    const instance = createInstance(module, preimages);
    instance.exports.open(rules.chainId, FORKS.indexOf(rules.fork), rules.p256 ? 1 : 0);
    return instance;
  };
  let instance = start();

  /** After a trap an instance is thrown away, and the next call has a new one. */
  const call = (name: Call, input: Uint8Array): number => {
    try {
      return instance.call(name, input);
    } catch (error) {
      if (isNectarError(error, 'ROLLUP_MACHINE_FAULT')) instance = start();
      throw error;
    }
  };

  /** A call whose only answer is success. */
  const askEncoded = (name: Call, request: Uint8Array): Uint8Array => {
    const status = call(name, request);
    const output = instance.output();
    if (status !== STATUS.ok) throw failure(status, output);
    return output;
  };
  const ask = (name: Call, request: Uint8Array): WireReader => createWireReader(askEncoded(name, request));

  const signaturesEncoded = (request: Uint8Array): (TransactionSignature | undefined)[] => {
    const reader = ask('signatures', request);
    const signatures: (TransactionSignature | undefined)[] = [];
    while (!reader.isAtEnd()) signatures.push(readSignature(reader));
    return signatures;
  };
  const deriveBlock = (place: DerivePlace): DerivedStep => {
    const step = readStep(ask('derive_block', encodePlace(place)));
    return { ...step, fresh: readFresh(instance.fresh()) };
  };

  return {
    deriveBlock,
    *deriveBatch(start) {
      let place: DerivePlace | undefined = { offset: 0n, ...start };
      while (place !== undefined) {
        const step: DerivedStep = deriveBlock(place);
        yield step;
        place = nextPlace(place, step);
      }
    },
    executeBlock(previous, input) {
      const block = readBlock(ask('execute_block', encodeBlockInput(previous, input)));
      return { ...block, fresh: readFresh(instance.fresh()) };
    },
    executeEncoded(request) {
      const block = readBlock(ask('execute_block', request));
      return { ...block, freshBytes: instance.fresh() };
    },
    deriveInputs: (place) => readInputs(ask('derive_inputs', encodePlace(place))),
    deriveInputsEncoded: (place) => askEncoded('derive_inputs', place),
    decodeBatch: (data) => (call('decode', data) === STATUS.ok ? readBatch(instance.output()) : undefined),
    inflate(data, size) {
      const writer = createWireWriter();
      writer.u32(size);
      writer.bytes(data);
      return call('inflate_columns', writer.finish()) === STATUS.ok ? instance.output() : undefined;
    },
    signatures: (transactions) => signaturesEncoded(encodeBlobs(transactions)),
    signaturesEncoded,
    simulate(header, steps, wanted = {}) {
      const writer = createWireWriter();
      writer.blob(header);
      writeWanted(writer, wanted);
      writer.u32(steps.length);
      for (const step of steps) writeStep(writer, step);
      return readCallResults(ask('simulate_calls', writer.finish()));
    },
    simulateBlock(previous, block, wanted = {}) {
      const writer = createWireWriter();
      writer.blob(previous);
      writeWanted(writer, wanted);
      writeSimulatedBlock(writer, block);
      const simulated = readSimulated(ask('simulate_block', writer.finish()));
      return { ...simulated, fresh: readFresh(instance.fresh()) };
    },
    traceBlock(previous, input, wanted, only = ALL) {
      const writer = createWireWriter();
      writeWanted(writer, wanted);
      writer.u32(only);
      writer.blob(previous);
      writeInput(writer, input);
      return readCallResults(ask('trace_block', writer.finish()));
    },
    buildState(accounts) {
      const writer = createWireWriter();
      for (const account of accounts) writeAccount(writer, account);
      const root = ask('build_state', writer.finish()).bytes(HASH_BYTES);
      return { root, fresh: readFresh(instance.fresh()) };
    },
    forget: () => instance.exports.forget(),
  };
}
