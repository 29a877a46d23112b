export { type P2pConfig, p2pConfig } from './config.ts';
export { peerIdOfSeed } from './identity.ts';
export type { P2p, PeerInfo } from './interfaces.ts';
export type { HeldBlocks, HeldShards, OwnBlocks, P2pDeps, P2pOptions, Registry, UnsafeBlocks } from './needs.ts';
export { createP2p } from './p2p.ts';
