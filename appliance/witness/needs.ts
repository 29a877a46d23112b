/** What this service needs from others; the wiring satisfies it. */
import type { PeerIdText, RootHash } from '../../protocol/brand.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { WitnessConfig } from './config.ts';

/** Our own audit log. */
export interface WitnessedLog {
  /** The key that signs its checkpoints, 32 bytes. */
  readonly publicKey: Uint8Array;
  treeHead(): { readonly size: number } | Promise<{ readonly size: number }>;
  /** Signs the tree as it is, with the hashes that lead there from an older size. Throws AUDIT_INDEX_OUT_OF_RANGE. */
  consistency(from: number): Promise<{
    readonly checkpoint: {
      readonly origin: string;
      readonly size: number;
      readonly root: RootHash;
      readonly note: string;
    };
    readonly path: readonly string[];
  }>;
  /** Tells the log of a checkpoint of its own that somebody outside has; throws when the log contradicts it. */
  witnessed?(head: { readonly note: string; readonly where: string; readonly at: number }): Promise<void>;
}

export interface WitnessOptions extends WitnessConfig {
  /** Folder of what others' logs have shown us, and of our own cosigned checkpoint. */
  readonly folder: string;
}

export interface WitnessDeps {
  readonly audit: WitnessedLog;
  /** The node's Ed25519 seed (32 bytes); asked for at start, when the keys are open. */
  readonly identitySeed: () => Promise<Uint8Array>;
  /** Connected members. */
  readonly members: () => Promise<readonly PeerIdText[]>;
  /** Whether the registry has the peer, connected or not. */
  readonly isMember: (peerId: PeerIdText) => Promise<boolean>;
  /** One question to one member, and its answer. */
  readonly ask: (peerId: PeerIdText, request: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
