import { isNectarError } from '../../../protocol/errors.ts';
import { isPortTaken } from './free-port.ts';

/** With two people who begin at the same moment one of them gets its ports at the second try. */
const ATTEMPTS = 4;

/** The port that an error says somebody else has; undefined: the error is another one. */
async function takenPortOf(error: unknown): Promise<number | undefined> {
  if (isNectarError(error, 'CLI_DEVNET_PORT_TAKEN') || isNectarError(error, 'GATEWAY_PORT_IN_USE'))
    return error.data.port;
  if (isNectarError(error, 'NETWORK_LISTEN_REFUSED')) return Number(/:(\d+)$/.exec(error.data.address)?.[1]);
  // These two say no reason that a program could read.
  const silent = isNectarError(error, 'ROLLUP_L1_NOT_STARTED') || isNectarError(error, 'ROLLUP_SEQUENCER_RPC_PORT');
  if (silent && (await isPortTaken(error.data.port, '127.0.0.1'))) return error.data.port;
  return undefined;
}

/**
 * Does work that opens ports which were free when they were chosen. Where another program opened one of them in between, `choose` takes
 * other ones and the work is done again; it says false where a person named that port, and then the error stands.
 */
export async function withPortsChosenAgain<T>(
  work: () => Promise<T>,
  choose: (taken: number) => Promise<boolean>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const taken = attempt === ATTEMPTS ? undefined : await takenPortOf(error);
      if (taken === undefined || !(await choose(taken))) throw error;
    }
  }
}
