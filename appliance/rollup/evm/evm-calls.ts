import type { CallOutcome, CallOverrides, CallRequest } from './call-request.ts';
import type { TracedTransaction } from './replay-block.ts';
import type { Simulation, SimulationAnswer } from './simulate-blocks.ts';
import type { TraceConfig } from './trace/trace-config.ts';
import type { ListedAccesses } from './try-call.ts';

/** A call that is tried on the state after a block, in that block's context or in one that it asks for, and forgotten. */
export interface TriedCall {
  readonly request: CallRequest;
  /** RLP of the block's header. */
  readonly header: Uint8Array;
  readonly overrides?: CallOverrides;
}

/**
 * What is asked of the EVM beside the chain. All of it is data that a thread can be sent: the EVM that answers is a matter of the
 * thread.
 */
export type EvmTask =
  /** `call` runs once; `estimate` finds the least gas with which it works; `accessList` what it touches. */
  | ({ readonly kind: 'call' | 'estimate' | 'accessList' } & TriedCall)
  | ({ readonly kind: 'trace'; readonly trace: TraceConfig } & TriedCall)
  | ({ readonly kind: 'simulate' } & Simulation)
  /** A block of the chain again, from the state before it: RLP of the header before, and of the block. */
  | {
      readonly kind: 'replay';
      readonly previous: Uint8Array;
      readonly block: Uint8Array;
      /** The one transaction that is traced; all when absent. */
      readonly only?: number;
      readonly trace: TraceConfig;
    };

/** `estimated`: enough gas, and not much more. `tooLarge`: a trace that nobody could take. */
export type EvmAnswer =
  | CallOutcome
  | { readonly kind: 'estimated'; readonly gas: bigint }
  | ListedAccesses
  | { readonly kind: 'traced'; readonly trace: unknown }
  | { readonly kind: 'replayed'; readonly traces: readonly TracedTransaction[] }
  | SimulationAnswer
  | { readonly kind: 'tooLarge'; readonly reason: string };

/** For whom the EVM works, and until when. */
export interface EvmClient {
  /** Whose budget of computing time is used: a token's id. */
  readonly caller: string;
  /** Aborts when the client leaves: nobody works on for it. */
  readonly signal?: AbortSignal;
}

/** The EVM as the RPC calls it. Throws RpcError (limits), NectarError (the node's own trouble). */
export interface EvmCalls {
  run(task: EvmTask, client: EvmClient): Promise<EvmAnswer>;
}
