import type { BlockHeader } from '@ethereumjs/block';
import { encodeBlobs, encodeBlockInput } from '../../../machine/host/blocks.ts';
import { type DerivedInputs, type DerivePlace, encodePlace, readInputs } from '../../../machine/host/derive.ts';
import type { GivenPreimages } from '../../../machine/host/given-preimages.ts';
import type { MachineRules } from '../../../machine/host/machine.ts';
import type { WasmModule } from '../../../machine/host/web-assembly.ts';
import { createWireReader } from '../../../machine/host/wire.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { assertForkKnown, type BlockInput, checkInput } from '../../../protocol/rollup/block-input.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import { SENDER_BYTES } from './block-messages.ts';
import { createBlockThread, type StartBlockThread } from './block-thread.ts';
import { ExecutedBlock } from './executed-block.ts';
import type { SharedPreimagesOptions } from './shared-preimages.ts';

/** Runs the machine in threads of its own: whatever a block holds, the event loop goes on. */
export interface BlockRunner {
  /**
   * The block that follows `previous`, whose state must be in the database. Nothing is written: a block that nobody appends was
   * never there. Throws ROLLUP_BLOCK_INPUT_INVALID, ROLLUP_FORK_UNKNOWN, ROLLUP_STATE_MISSING, ROLLUP_MACHINE_FAULT,
   * ROLLUP_MACHINE_ENDED, ROLLUP_DATABASE_INVALID.
   */
  run(previous: BlockHeader, input: BlockInput): Promise<ExecutedBlock>;
  /**
   * What a batch makes from a place on, from these preimages alone; nothing is executed. Throws ROLLUP_STATE_MISSING when one is not
   * there, ROLLUP_BLOCK_INPUT_INVALID, ROLLUP_MACHINE_FAULT, ROLLUP_MACHINE_ENDED.
   */
  deriveInputs(place: DerivePlace, preimages: GivenPreimages): Promise<DerivedInputs>;
  /** Begins to recover who signed these transactions, which a block will hold soon. */
  expect(transactions: readonly Uint8Array[]): void;
  /** Ends the threads, which hold the database open; they begin again when they are needed. */
  release(): Promise<void>;
}

export interface BlockRunnerOptions {
  readonly module: WasmModule;
  readonly machineRules: MachineRules;
  readonly rules: Rules;
  readonly database: SharedPreimagesOptions;
  readonly start?: StartBlockThread;
}

const ADDRESS_BYTES = SENDER_BYTES - 1;
type Sender = ReturnType<typeof bytesToHex> | undefined;

const RELEASED = new NectarError('NODE_NOT_READY', { service: 'rollup', reason: 'the chain database is let go of' });

export function createBlockRunner(options: BlockRunnerOptions): BlockRunner {
  const { module, machineRules, rules, database, start } = options;
  const setup = { module, rules: machineRules };
  const executing = createBlockThread(() => ({ ...setup, database }), start);
  // Recovering costs about what executing costs: of one block while another one runs.
  const reading = createBlockThread(() => ({ ...setup, database: undefined }), start);
  /** By the transaction's own bytes: it is forgotten with them. */
  const known = new WeakMap<Uint8Array, Promise<Sender>>();

  async function recover(transactions: readonly Uint8Array[]): Promise<Sender[]> {
    const senders = await reading.run({ kind: 'senders', transactions: encodeBlobs(transactions) });
    return transactions.map((_, index) => {
      const at = index * SENDER_BYTES;
      return senders[at] === 1 ? bytesToHex(senders.subarray(at + 1, at + 1 + ADDRESS_BYTES)) : undefined;
    });
  }

  function expect(transactions: readonly Uint8Array[]): void {
    const unknown = transactions.filter((raw) => !known.has(raw));
    if (unknown.length === 0) return;
    const recovered = recover(unknown);
    for (const [index, raw] of unknown.entries()) {
      const sender = recovered.then((senders) => senders[index]);
      // Without it the machine recovers by itself.
      known.set(
        raw,
        sender.catch(() => undefined),
      );
    }
  }

  return {
    async run(previous, input) {
      assertForkKnown(previous);
      checkInput(previous, input);
      expect(input.transactions);
      const senders = await Promise.all(input.transactions.map((raw) => known.get(raw)));
      const request = encodeBlockInput(previous.serialize(), { ...input, senders });
      const raw = await executing.run({ kind: 'execute', number: previous.number + 1n, request });
      return new ExecutedBlock(raw, rules);
    },
    async deriveInputs(place, preimages) {
      return readInputs(createWireReader(await reading.run({ kind: 'inputs', place: encodePlace(place), preimages })));
    },
    expect,
    async release() {
      await Promise.all([executing.end(RELEASED), reading.end(RELEASED)]);
    },
  };
}
