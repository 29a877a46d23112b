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
  /** Idempotent. Marks none of which the commitment is another: what the root covers is not what the store has. */
  markAnchored(
    items: readonly (RecordVersion & { readonly commitment: Uint8Array })[],
    anchor: { root: string; batchId: string },
  ): Promise<void>;
}

interface TreeHead {
  readonly size: number;
  readonly root: RootHash;
}

/** The audit log's side. */
export interface AuditHead {
  treeHead(): TreeHead | Promise<TreeHead>;
  checkpoint(): Promise<{ readonly size: number; readonly root: RootHash; readonly note: string }>;
  /** Tells of a head that the chain has; throws AUDIT_TRUNCATED or AUDIT_FORKED when the log contradicts it. */
  witnessed(head: {
    readonly size: number;
    readonly root: RootHash;
    readonly where: string;
    /** Milliseconds. */
    readonly at: number;
    readonly provisional?: boolean;
  }): Promise<void>;
  /** Says that the log was held against a chain that is known up to now. */
  chainHeard(): Promise<void>;
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
  /** Whether the state is that of now: derived up to the newest of an L1 that answers. */
  isCurrent(): boolean;
}

export interface AnchorOptions {
  /** Folder of this service: what is under way, and the leaves of each batch. */
  readonly folder: string;
}

export interface AnchorDeps {
  readonly records: UnanchoredRecords;
  readonly audit: AuditHead;
  readonly chain: Chain;
  /** As of what L1 has. */
  readonly isAuthorized: (peerId: PeerIdText) => Promise<boolean>;
  /** As of the latest block, which L1 may not have yet. */
  readonly isAnnounced: (peerId: PeerIdText) => Promise<boolean>;
  readonly peerId: () => PeerIdText;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
