import type { GivenPreimages } from '../../../machine/host/given-preimages.ts';
import type { MachineRules } from '../../../machine/host/machine.ts';
import type { WasmModule } from '../../../machine/host/web-assembly.ts';
import type { Obstacle } from '../../../protocol/rollup/transaction.ts';
import type { SharedPreimagesOptions } from './shared-preimages.ts';
import type { ThreadError } from './thread.ts';

/** What a block thread is given when it begins. Without a database it executes nothing. */
export interface BlockSetup {
  readonly module: WasmModule;
  readonly rules: MachineRules;
  readonly database: SharedPreimagesOptions | undefined;
}

export type BlockTask =
  /** What `encodeBlockInput` made. */
  | { readonly kind: 'execute'; readonly number: bigint; readonly request: Uint8Array }
  /** What `encodePlace` made, and all that the machine may read for it. */
  | { readonly kind: 'inputs'; readonly place: Uint8Array; readonly preimages: GivenPreimages }
  /** What `encodeBlobs` made. */
  | { readonly kind: 'senders'; readonly transactions: Uint8Array };

/** A block that is executed and nowhere written, as a thread gives it. */
export interface RawExecution {
  readonly hash: string;
  readonly header: Uint8Array;
  readonly block: Uint8Array;
  readonly receipts: Uint8Array;
  readonly dropped: readonly { readonly index: number; readonly obstacle: Obstacle }[];
  /** What writes the new state: see operation-codec.ts. */
  readonly operations: Uint8Array;
  readonly cpuMs: number;
}

export interface BlockAnswers {
  readonly execute: RawExecution;
  /** What `readInputs` reads. */
  readonly inputs: Uint8Array;
  /** SENDER_BYTES for each transaction. */
  readonly senders: Uint8Array;
}

/** One flag, then an address when there is one. */
export const SENDER_BYTES = 21;

export interface BlockRequest {
  readonly id: number;
  readonly task: BlockTask;
}

export type BlockReply =
  | { readonly kind: 'done'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ThreadError };
