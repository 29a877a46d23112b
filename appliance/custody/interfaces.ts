import type { OBJECTS, SNAPSHOTS, TABLES } from '../../protocol/backup/repository.ts';

export type CustodyPart = typeof OBJECTS | typeof TABLES | typeof SNAPSHOTS;

export interface KeptObject {
  readonly name: string;
  readonly bytes: number;
}

export interface OpenedObject {
  readonly bytes: number;
  /** Each piece is the reader's own. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface Removed {
  readonly objects: number;
  readonly bytes: number;
}

/** A repository, as whoever runs the holding node sees it: all of its content is sealed for the owner. */
export interface KeptRepository {
  readonly owner: string;
  readonly repository: string;
  readonly nodeId: string;
  readonly createdAt: string;
  /** The node's checkpoint key, pinned when the repository began. */
  readonly checkpointKey: string;
  /** Of the newest snapshot; 0 before the first. */
  readonly generation: number;
  /** When that snapshot was made, as the owner's node says; empty before the first. */
  readonly snapshotAt: string;
  readonly bytes: number;
}

/** What is kept, at a glance. */
export interface CustodyStanding {
  readonly repositories: number;
  readonly bytes: number;
  /** Of the largest repository. */
  readonly fullestBytes: number;
  /** Of each. */
  readonly quotaBytes: number;
  /** The oldest of their newest snapshots, as their owners say; null: there is none. */
  readonly oldestAt: string | null;
  /** Since the start. */
  readonly refused: number;
}

/**
 * Backup repositories of other nodes, one for each owner (the subject of a token). What an owner may do is bounded by what the node
 * signed, not by the token alone: objects are never replaced, and a key table goes only for a newer one that the node vouches for.
 */
export interface Custody {
  list(owner: string, part: CustodyPart): AsyncIterable<KeptObject>;
  /** @throws NectarError CUSTODY_OBJECT_ABSENT, CUSTODY_NAME_INVALID */
  read(owner: string, name: string): Promise<OpenedObject>;
  /** Durable when it resolves. @throws NectarError CUSTODY_OBJECT_PRESENT, CUSTODY_CONTENT_REFUSED, CUSTODY_QUOTA, NODE_DISK_FULL */
  put(owner: string, name: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<KeptObject>;
  /** Superseded key tables. All or none is checked before any goes. @throws NectarError CUSTODY_REMOVAL_REFUSED */
  supersede(owner: string, names: readonly string[]): Promise<Removed>;
  /** Objects and snapshots too, but for the newest. @throws NectarError CUSTODY_REMOVAL_REFUSED */
  prune(owner: string, names: readonly string[]): Promise<Removed>;
  repositories(): Promise<readonly KeptRepository[]>;
  standing(): Promise<CustodyStanding>;
  /** Removes a whole repository. @throws NectarError CUSTODY_REPOSITORY_ABSENT */
  destroy(owner: string): Promise<Removed>;
}
