import { membershipOf } from '../../appliance/membership/index.ts';
import { rollupCompliance } from './rollup.ts';

rollupCompliance('in process', async ({ rollup, p2p, anchor, membership, auditor }) => ({
  rpc: rollup.rpc,
  subscribe: rollup.subscribe,
  withdraw: rollup.withdraw,
  withdrawals: rollup.withdrawals,
  claim: rollup.claim,
  stakeStatus: rollup.stakeStatus,
  setStaking: rollup.setStaking,
  snapshot: rollup.snapshot,
  rewind: ({ to }) => rollup.rewind(to === undefined ? undefined : BigInt(to)),
  peers: p2p.peers,
  anchors: anchor.auditAnchors,
  network: async () => ({ addresses: p2p.addresses(), ...(await membershipOf(membership)) }),
  l1: async () => rollup.l1(),
  join: membership.join,
  leave: membership.leave,
  appeal: membership.appeal,
  auditorQueue: auditor.queue,
  auditorDecide: auditor.decide,
  close: async () => undefined,
}));
