import type { NetworkDescriptor } from '../../../../protocol/network/descriptor.ts';
import { peerIdOf } from '../../../../protocol/network/node-identity.ts';

export const SAMPLE_PEER_ID = peerIdOf(new Uint8Array(32).fill(7));

/** A descriptor of a network that exists in tests only. */
export const SAMPLE_DESCRIPTOR: NetworkDescriptor = {
  version: 1,
  name: 'devnet',
  l1: {
    chainId: '31337',
    inbox: `0x${'11'.repeat(20)}`,
    sequencerInbox: `0x${'22'.repeat(20)}`,
    rollup: `0x${'ac'.repeat(20)}`,
    outbox: `0x${'ad'.repeat(20)}`,
    deployedAt: { number: 3, hash: `0x${'33'.repeat(32)}`, timestamp: 1_700_000_000 },
  },
  l2: {
    chainId: '6328270',
    genesis: {
      l2ChainId: '6328270',
      timestamp: '1700000000',
      gasLimit: '30000000',
      auditors: [`0x${'44'.repeat(20)}`, `0x${'55'.repeat(20)}`],
      ejectionQuorum: 2,
      alloc: [{ address: `0x${'66'.repeat(20)}`, balanceWei: '1000000000000000000' }],
      feeRecipient: `0x${'77'.repeat(20)}`,
      fork: 'prague',
      p256: true,
    },
    machine: `0x${'bb'.repeat(32)}`,
    genesisHash: `0x${'88'.repeat(32)}`,
    sequencer: `0x${'99'.repeat(20)}`,
  },
  endpoints: { l1Rpc: ['http://127.0.0.1:8545'], sequencerRpc: ['http://127.0.0.1:8547'] },
  bootstrap: [`/ip4/127.0.0.1/tcp/4001/p2p/${SAMPLE_PEER_ID}`],
  devnet: { faucet: `0x${'aa'.repeat(20)}` },
};
