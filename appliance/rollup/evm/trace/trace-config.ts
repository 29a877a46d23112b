import type { MachineCallResult } from '../../../../machine/host/call-results.ts';
import type { Hex } from '../../../../protocol/brand.ts';

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
}

/** The trace has more steps or bytes than one answer may. */
export class TraceTooLarge extends Error {
  constructor(limit: string) {
    super(`the trace holds more than ${limit}`);
    this.name = 'TraceTooLarge';
  }
}

/** Throws TraceTooLarge when the machine kept less than was wanted: it stops there, and what it has is of no use. */
export function assertWhole({ isCut }: MachineCallResult, what: string): void {
  if (isCut) throw new TraceTooLarge(`one answer may have of ${what}`);
}
