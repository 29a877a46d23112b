/** The store's own account of its index and of its replicas. */
export interface StoreCondition {
  readonly index: { readonly state: 'fresh' | 'behind' | 'ahead'; readonly missing?: number };
  readonly restored?: { readonly backupCreatedAt: string; readonly missing: number };
  readonly cutOff?: number;
  readonly pendingErasures: number;
  readonly damaged: number;
  readonly holders: readonly Holder[];
  readonly releases: { readonly pending: number; readonly oldestMs?: number };
  readonly offer: Offer;
  readonly shards: Shards;
  readonly unreadable?: { readonly versions: number; readonly at: string };
  readonly rekey?: RekeyState;
}

/** A member that said it holds blobs of this node, and what its answers say. */
interface Holder {
  readonly holder: string;
  readonly state: 'good' | 'late' | 'lost' | 'out' | 'distrusted';
  readonly provedAt?: string;
  readonly faults: number;
}

/** What this node takes of other owners. */
interface Offer {
  readonly bytes: number;
  readonly heldBytes: number;
  readonly from: 'configuration' | 'command';
}

/** The shards of this node's blobs at others. */
interface Shards {
  readonly holders: number;
  readonly storageClass?: string;
  readonly segments: number;
  readonly durable: number;
  readonly waiting: number;
  readonly repairs: number;
  readonly leastMargin?: number;
  readonly margins: Readonly<Record<string, number>>;
  readonly unprovedMs?: number;
  readonly standings: readonly Standing[];
}

/** A holder of shards as audits left it. */
interface Standing {
  readonly holder: string;
  readonly score: number;
  readonly passed: number;
  readonly isSuspended: boolean;
  readonly provedAt?: string;
}

/** How far sealing every record under new keys has come. */
interface RekeyState {
  readonly state: 'running' | 'paused' | 'failed' | 'incomplete' | 'done';
  readonly target: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly load: number;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly bytes: number;
  readonly reason?: string;
}

export interface ShownStorage {
  index: 'fresh' | 'behind' | 'ahead';
  missing: number;
  damaged: number;
  pendingErasures: number;
  holders: Holder[];
  releases: { pending: number; oldestMs?: number };
  offer: Offer;
  shards: Omit<Shards, 'standings' | 'margins'> & { standings: Standing[]; margins: Record<string, number> };
  unreadable?: { versions: number; at: string };
  restored?: { backupCreatedAt: string; missing: number };
  cutOff?: number;
  rekey?: RekeyState;
}

export function describeStorage(condition: StoreCondition): ShownStorage {
  const { index, pendingErasures, damaged, holders, releases, offer, shards } = condition;
  const { unreadable, restored, cutOff, rekey } = condition;
  return {
    ...{ index: index.state, missing: index.missing ?? 0, damaged, pendingErasures, holders: [...holders] },
    ...{ releases, offer },
    shards: { ...shards, standings: [...shards.standings], margins: { ...shards.margins } },
    ...(unreadable !== undefined && { unreadable }),
    ...(restored !== undefined && { restored }),
    ...(cutOff !== undefined && { cutOff }),
    ...(rekey !== undefined && { rekey }),
  };
}
