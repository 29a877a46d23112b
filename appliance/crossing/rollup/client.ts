import type { AuditAnchor } from '../../audit/index.ts';
import type { Membership } from '../../membership/index.ts';
import type { PeerInfo } from '../../p2p/index.ts';
import type { Rollup } from '../../rollup/index.ts';
import type { Connection } from '../connection.ts';
import { anchors, join, type NetworkState, network, peers, type RollupState, rpc, state } from './contract.ts';

/** The rollup role, reached over its socket. */
export interface RollupClient extends Pick<Rollup, 'rpc'>, Pick<Membership, 'join'> {
  state(timeoutMs: number): Promise<RollupState>;
  peers(): Promise<PeerInfo[]>;
  network(): Promise<NetworkState>;
  anchors(): Promise<AuditAnchor[]>;
}

export function createRollupClient(connection: Connection): RollupClient {
  return {
    state: (timeoutMs) => connection.unary(state, null, { timeoutMs }),
    rpc: async (body) => (await connection.unary(rpc, { body })).answer,
    peers: () => connection.unary(peers, null),
    network: () => connection.unary(network, null),
    join: () => connection.unary(join, null),
    anchors: () => connection.unary(anchors, null),
  };
}
