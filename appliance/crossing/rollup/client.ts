import type { Rollup } from '../../rollup/index.ts';
import { clientOf } from '../client-of.ts';
import type { Connection } from '../connection.ts';
import type { ClientOf } from '../contract.ts';
import { rollup } from './contract.ts';

/** The rollup role, reached over its socket. */
export type RollupClient = Omit<ClientOf<(typeof rollup)['calls']>, 'rpc' | 'snapshot'> &
  Pick<Rollup, 'rpc' | 'snapshot'>;

export function createRollupClient(connection: Connection): RollupClient {
  const client = clientOf(connection, rollup);
  return {
    ...client,
    rpc: async (body, caller, signal) => (await client.rpc(body, caller, signal)).answer,
    async *snapshot() {
      yield* await client.snapshot();
    },
  };
}
