import * as real from '../../../appliance/rollup/challenge/truth.ts';
import { globalStateHash } from '../../../protocol/dispute/global-state.ts';
import { FLAG_OK, type OpenedState, stateHash } from '../../../protocol/dispute/machine-state.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { hold } from './hold.ts';

/** The first step after which the liar lies. */
const LIE_AT = 1_000_003n;

export function createTruth(chain: real.DisputedChain, openRun: real.OpenRun): real.Truth {
  return process.env.NECTAR_TEST_PATCH === 'liar'
    ? real.createTruth(chain, lyingRun(chain, openRun))
    : real.createTruth(chain, async (iteration) => ({ ...(await openRun(iteration)), tracePoints: hold }));
}

/** Up to a step what is true, and from there on a state that ends in what this node derives, which is false. */
function lyingRun(chain: real.DisputedChain, openRun: real.OpenRun): real.OpenRun {
  return async (iteration) => {
    const run = await openRun(iteration);
    const [end] = await chain.statesAfter(iteration.state, iteration.task.target, [1n]);
    if (end === undefined) return run;
    const output = hexToBytes(globalStateHash(end));
    const lie: OpenedState = { core: 7n, input: hexToBytes(iteration.input), output, flag: FLAG_OK };
    return {
      ...run,
      tracePoints: async (from, width) =>
        (await run.tracePoints(from, width)).map((point, at) =>
          from + width * BigInt(at + 1) >= LIE_AT ? stateHash(lie) : point,
        ),
      openAt: async (step) => (step >= LIE_AT ? lie : run.openAt(step)),
    };
  };
}
