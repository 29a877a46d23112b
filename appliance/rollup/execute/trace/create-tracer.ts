import { createCallTracer } from './call-tracer.ts';
import { createPrestateTracer } from './prestate-tracer.ts';
import { createStructLogger } from './struct-logger.ts';
import type { TraceConfig, TracedCall, Tracer } from './tracer.ts';

export function createTracer(config: TraceConfig, call: TracedCall): Tracer {
  switch (config.tracer) {
    case 'callTracer':
      return createCallTracer(call, config);
    case 'prestateTracer':
      return createPrestateTracer(call, config);
    case 'structLogger':
      return createStructLogger(config);
    case 'noopTracer':
      return { attach: () => undefined, result: async () => ({}) };
  }
}
