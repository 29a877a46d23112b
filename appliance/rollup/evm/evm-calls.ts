import type { CallOutcome, CallRequest } from '../execute/simulate.ts';

/**
 * What is asked of the EVM beside the chain: tried on the state after a block, in that block's context, and forgotten. All of it
 * is data that a thread can be sent: the EVM that answers is a matter of the thread.
 */
export interface EvmTask {
  /** `call` runs once; `estimate` finds the least gas with which it works. */
  readonly kind: 'call' | 'estimate';
  readonly request: CallRequest;
  /** RLP of the block's header. */
  readonly header: Uint8Array;
}

/** `estimated`: enough gas, and not much more. */
export type EvmAnswer = CallOutcome | { readonly kind: 'estimated'; readonly gas: bigint };

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
