/** What the gateway needs of the service that keeps backup repositories of other nodes. */

import type { CustodyStatus } from './custody-schemas.ts';

export interface KeptObject {
  readonly name: string;
  readonly bytes: number;
}

export interface RemovedObjects {
  readonly objects: number;
  readonly bytes: number;
}

export interface KeptRepository {
  readonly owner: string;
  readonly repository: string;
  readonly nodeId: string;
  readonly createdAt: string;
  readonly checkpointKey: string;
  readonly generation: number;
  readonly snapshotAt: string;
  readonly bytes: number;
}

export interface GatewayCustody {
  list(owner: string, part: 'objects/' | 'keys/' | 'snapshots/'): AsyncIterable<KeptObject>;
  read(owner: string, name: string): Promise<{ readonly bytes: number; readonly body: AsyncIterable<Uint8Array> }>;
  put(owner: string, name: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<KeptObject>;
  supersede(owner: string, names: readonly string[]): Promise<RemovedObjects>;
  prune(owner: string, names: readonly string[]): Promise<RemovedObjects>;
  repositories(): Promise<readonly KeptRepository[]>;
  standing(): Promise<CustodyStatus>;
  destroy(owner: string): Promise<RemovedObjects>;
}
