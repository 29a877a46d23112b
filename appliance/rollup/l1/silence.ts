import { isNectarError } from '../../../protocol/errors.ts';
import type { EndpointRpc } from './json-rpc.ts';

/** How long a chain's endpoints have been asked in vain. */
export interface Silence {
  /** Milliseconds since the first question after which no answer came; 0: the last one was answered, or nothing was asked. */
  ms(): number;
}

/**
 * Notes what an endpoint that accepts connections and never answers does not tell: that a question waits. A call fails only once every
 * endpoint had its time, and a long derivation asks nothing, so neither failures nor the last answer's age are a measure.
 */
export function watchSilence(
  rpc: EndpointRpc,
  now: () => number,
): { readonly rpc: EndpointRpc; readonly silence: Silence } {
  let since: number | undefined;
  return {
    silence: { ms: () => (since === undefined ? 0 : Math.max(0, now() - since)) },
    rpc: {
      ...rpc,
      async call(method, params, signal) {
        since ??= now();
        try {
          const result = await rpc.call(method, params, signal);
          since = undefined;
          return result;
        } catch (error) {
          // A refusal is an answer. Who gave up asking learned nothing, and nobody may ask again.
          if (isNectarError(error, 'ROLLUP_L1_REFUSED') || signal.aborted) since = undefined;
          throw error;
        }
      },
    },
  };
}
