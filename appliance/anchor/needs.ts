/** What anchoring needs from other services; wire.ts satisfies it. */
import type { Hex, PeerIdText, RecordId, RootHash } from '../../protocol/brand.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';

export interface RecordVersion {
  readonly recordId: RecordId;
  readonly version: number;
}

/** The store's side: which record versions no root covers yet. */
export interface UnanchoredRecords {
  unanchored(limit: number): Promise<readonly (RecordVersion & { readonly commitment: Uint8Array })[]>;
  /** Idempotent. */
  markAnchored(items: readonly RecordVersion[], anchor: { root: string; batchId: string }): Promise<void>;
}

interface TreeHead {
  readonly size: number;
  readonly root: RootHash;
}

/** The audit log's side. */
export interface AuditHead {
  treeHead(): TreeHead | Promise<TreeHead>;
  checkpoint(): Promise<{ readonly size: number; readonly root: RootHash }>;
}

/** The chain as this node derives it, and the operator's account on it. */
export interface Chain {
  address(): Hex;
  balance(): Promise<bigint>;
  send(tx: { readonly to: Hex; readonly data: Hex }): Promise<Hex>;
  /** eth_call on the latest state of our own; `ethCall(rollup.rpc)` makes one. */
  call(tx: { readonly to: Hex; readonly data: Hex }): Promise<Hex>;
  /** Number of the safe head: derived from L1, not only signed by the sequencer. */
  safeBlock(): bigint;
}

export interface AnchorOptions {
  /** Folder of this service: what is under way, and the leaves of each batch. */
  readonly folder: string;
}

export interface AnchorDeps {
  readonly records: UnanchoredRecords;
  readonly audit: AuditHead;
  readonly chain: Chain;
  readonly isAuthorized: (peerId: PeerIdText) => Promise<boolean>;
  readonly peerId: () => PeerIdText;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
