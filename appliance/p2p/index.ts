export { type P2pConfig, p2pConfig } from './config.ts';
export { peerIdOfSeed } from './identity.ts';
export type { HeldBlocks, OwnBlocks, P2pDeps, P2pOptions, Registry, UnsafeBlocks } from './needs.ts';
export { createP2p, type P2p, type PeerInfo } from './p2p.ts';
