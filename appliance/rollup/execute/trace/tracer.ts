import type { VM } from '@ethereumjs/vm';
import type { Hex } from '../../../../protocol/brand.ts';
import type { StateTrie } from '../../../../protocol/rollup/state-trie.ts';

/** What is to be recorded: data that a thread can be sent. */
export type TraceConfig =
  | {
      readonly tracer: 'structLogger';
      readonly enableMemory: boolean;
      readonly disableStack: boolean;
      readonly disableStorage: boolean;
      /** Steps after which nothing more is recorded; 0: as many as may be. */
      readonly limit: number;
    }
  | { readonly tracer: 'callTracer'; readonly onlyTopCall: boolean; readonly withLog: boolean }
  | { readonly tracer: 'prestateTracer'; readonly diffMode: boolean }
  | { readonly tracer: 'noopTracer' };

/** The transaction or call that is traced. */
export interface TracedCall {
  readonly from: Hex;
  readonly to: Hex | undefined;
  readonly gas: bigint;
  readonly value: bigint;
  readonly input: Hex;
  readonly coinbase: Hex;
}

/** How it ended. */
export interface TraceEnd {
  readonly gasUsed: bigint;
  readonly returned: Uint8Array;
  /** The EVM's word for what went wrong. */
  readonly exception: string | undefined;
  readonly created: Hex | undefined;
}

/** Listens to one transaction. Throws TraceTooLarge, through the EVM, when it would have to keep more than it may. */
export interface Tracer {
  attach(vm: VM): void;
  /** JSON, as geth has it. `before` and `after` are the state without the transaction, and with it. */
  result(end: TraceEnd, states: { readonly before: StateTrie; readonly after: StateTrie }): Promise<unknown>;
}

/** The trace has more steps or bytes than one answer may. */
export class TraceTooLarge extends Error {
  constructor(limit: string) {
    super(`the trace holds more than ${limit}`);
    this.name = 'TraceTooLarge';
  }
}

/** In the words of geth. */
export function exceptionText(exception: string): string {
  return exception === 'revert' ? 'execution reverted' : exception;
}
