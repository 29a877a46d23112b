import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import type { IndexOp } from './index-db.ts';
import type { PendingRelease, ReceiptedRelease } from './replicas.ts';

type Blob = { readonly root: Cid; readonly holders: readonly PeerIdText[] };

/** Holders that are still to take away what was destroyed or replaced here: one entry of the index each, until they sign that they did. */
export interface ReleaseQueue {
  load(): Promise<void>;
  /** Entries for a commit of the caller's; `settle` once that is done. */
  add(blobs: readonly Blob[]): { readonly ops: IndexOp[]; settle(): void };
  /** What to tell whom now, of at most so many holders. Goes round: one that never answers must not hide those behind it. */
  due(limit: number): Promise<PendingRelease[]>;
  /** The receipt is in the log before anything changes here. */
  receipted(release: ReceiptedRelease): Promise<void>;
  /** How many are open, and for how long the oldest. */
  standing(): { readonly pending: number; readonly oldestMs?: number };
}
