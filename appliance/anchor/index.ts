export { type Anchor, type Anchored, createAnchor } from './anchor.ts';
export { type AnchorConfig, anchorConfig } from './config.ts';
export type { AnchorDeps, AnchorOptions, AuditHead, Chain, UnanchoredRecords } from './needs.ts';
export { readAnchoredHeads } from './progress.ts';
export { ethCall } from './rpc-call.ts';
