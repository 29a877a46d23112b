import type { MachineCallResult } from '../../../../machine/host/call-results.ts';
import type { Wanted } from '../../../../machine/host/calls.ts';
import { renderCalls } from './call-tracer.ts';
import { renderPrestate } from './prestate-tracer.ts';
import { renderSteps, wantedSteps } from './struct-logger.ts';
import type { TraceConfig, TracedCall } from './trace-config.ts';

/** What the machine has to record for a trace. */
export function wantedOf(config: TraceConfig): Wanted {
  switch (config.tracer) {
    case 'callTracer':
      return { frames: true };
    case 'prestateTracer':
      return { touched: true };
    case 'structLogger':
      return { steps: wantedSteps(config) };
    case 'noopTracer':
      return {};
  }
}

/** The trace as JSON, as geth has it. Throws TraceTooLarge. */
export function renderTrace(config: TraceConfig, call: TracedCall, result: MachineCallResult): unknown {
  switch (config.tracer) {
    case 'callTracer':
      return renderCalls(config, call, result);
    case 'prestateTracer':
      return renderPrestate(config, result);
    case 'structLogger':
      return renderSteps(config, result);
    case 'noopTracer':
      return {};
  }
}
