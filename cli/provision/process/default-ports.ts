import { NectarError } from '../../../protocol/errors.ts';

/** Ports that are tried first where nobody names one; the next free ones follow. */
export interface DefaultPorts {
  readonly gateway: number;
  readonly p2p: number;
  /** `p2p` is far from the ports that nodes take, which may have been chosen but not yet opened. */
  readonly devnet: { readonly l1: number; readonly rpc: number; readonly p2p: number };
}

const OFFSET = 'NECTAR_PORT_OFFSET';
const MAX_OFFSET = 40_000;

/**
 * NECTAR_PORT_OFFSET moves all of them: several people, or jobs, that make nodes on one machine at the same time would otherwise take
 * the same port between the look and the start.
 *
 * @throws NectarError CLI_USAGE
 */
export function defaultPorts(env: Readonly<Record<string, string | undefined>>): DefaultPorts {
  const text = env[OFFSET] ?? '';
  const offset = text === '' ? 0 : Number(text);
  if (!/^\d*$/.test(text) || offset > MAX_OFFSET) {
    throw new NectarError('CLI_USAGE', { problem: `${OFFSET} is ${text}, and not a number from 0 to ${MAX_OFFSET}` });
  }
  return {
    gateway: 8443 + offset,
    p2p: 4640 + offset,
    devnet: { l1: 8545 + offset, rpc: 9545 + offset, p2p: 14_640 + offset },
  };
}
