import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';

/** Who holds a blob already, who did, and who is not to be asked. */
export interface Placement {
  readonly holders: readonly PeerIdText[];
  readonly former: readonly PeerIdText[];
  readonly barred: readonly PeerIdText[];
}

export interface HeldQuestion {
  readonly holder: PeerIdText;
  readonly root: Cid;
  readonly cid: Cid;
}

export type ProofOutcome = 'proved' | 'absent' | 'false' | 'silent';

/** Blobs that a holder is to take away. */
interface PendingRelease {
  readonly holder: PeerIdText;
  readonly roots: readonly Cid[];
}

/** What a holder signed about it. */
interface SignedRelease {
  readonly nonce: string;
  readonly epoch: number;
  readonly bytes: number;
  readonly signature: string;
}

export interface ReplicationDeps {
  readonly store: {
    underReplicated(
      limit: number,
    ): Promise<readonly (Placement & { readonly root: Cid; readonly blocks: readonly Cid[] })[]>;
    markReplicated(root: Cid, holder: PeerIdText): Promise<void>;
    holderQuestions(count: number): Promise<readonly HeldQuestion[]>;
    holderAnswered(answer: HeldQuestion & { readonly outcome: ProofOutcome | 'out' }): Promise<void>;
    pendingReleases(limit: number): Promise<readonly PendingRelease[]>;
    released(release: PendingRelease & { readonly receipt: SignedRelease }): Promise<void>;
  };
  /** What is held here for others. */
  readonly held: {
    owners(): Promise<readonly PeerIdText[]>;
    tidy(standings: readonly { readonly owner: PeerIdText; readonly isMember: boolean }[]): Promise<void>;
  };
  /** Asks peers other than the holders; resolves with those that said the blob is durable with them. */
  readonly replicate: (
    root: Cid,
    blocks: readonly Cid[],
    signal: AbortSignal,
    placed: Placement,
  ) => Promise<readonly PeerIdText[]>;
  /** Asks a holder for a hash that needs the bytes of a block. */
  readonly prove: (question: HeldQuestion, signal: AbortSignal) => Promise<ProofOutcome>;
  /** Tells a holder that it need not keep blobs; the receipt is verified. */
  readonly release: (
    holder: PeerIdText,
    roots: readonly Cid[],
    signal: AbortSignal,
  ) => Promise<
    { readonly outcome: 'receipt'; readonly receipt: SignedRelease } | { readonly outcome: 'told' | 'false' | 'silent' }
  >;
  /** By the registry; rejects where it gives no answer. */
  readonly isMember: (peerId: PeerIdText) => Promise<boolean>;
  /** Whether the registry is that of today: a node that was away for weeks reads an old one first. */
  readonly isCurrent: () => boolean;
  /** Members that are connected now. */
  readonly members: () => Promise<readonly PeerIdText[]>;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A whole number below the limit. */
  readonly draw: (limit: number) => number;
}
