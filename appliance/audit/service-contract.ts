import type { LeafHash, RootHash } from '../../protocol/brand.ts';
import type { AuditProof } from '../../protocol/merkle/audit-proof.ts';
import type { Service } from '../service.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { ChainWordState } from './chain-word.ts';
import type { CheckpointSigner, IssuedCheckpoint } from './checkpoints.ts';
import type { LogConfig } from './config.ts';
import type { DeclaredEpoch } from './declared-epoch.ts';
import type { Disk } from './disk.ts';
import type { AccessContext, AuditInput } from './event.ts';
import type { RecordEvidence } from './evidence.ts';
import type { AuditExportRequest } from './export.ts';
import type { WitnessedHead } from './freshness.ts';
import type { FileGenerations } from './generations.ts';
import type { LoggedToken } from './generations-fold.ts';
import type { Conflict, ExternalHead } from './known-heads.ts';
import type { LoggedNote } from './logged-notes.ts';
import type { AuditPage, AuditQuery } from './query.ts';
import type { AuditEntry } from './reader.ts';
import type { SignedHead } from './signed-head.ts';
import type { AuditAnchor, AuditVerdict, VerifyLogOptions } from './verify-folder.ts';

export interface AuditOptions {
  /** HOME/audit. */
  readonly folder: string;
  /** The log's identity and the name of its key: no spaces, no plus. */
  readonly origin: string;
  readonly config: LogConfig;
  /** Tree heads that left the machine, kept where a roll back of the log's own folder does not reach. Asked for at each start. */
  readonly keptOutside?: () => Promise<readonly SignedHead[]>;
  /** How long callers wait for the chain's first word; undefined where no chain is followed. */
  readonly chainWaitMs?: number;
  /** Verifier keys of witnesses whose cosignatures count. */
  readonly witnesses?: readonly string[];
}

export interface AuditDeps {
  /** Asked once, at start: by then the node is unlocked. */
  readonly keys: { derive(purpose: 'audit-body'): Uint8Array };
  readonly signer: CheckpointSigner;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly randomBytes: (length: number) => Uint8Array;
  /** The disk; the real one below the folder unless a test gives another. */
  readonly disk?: Disk;
}

/** How the log stands: how far it is, what it declares of itself, and what bars it. */
export interface AuditStanding {
  readonly size: number;
  readonly root: RootHash;
  readonly epochs: readonly DeclaredEpoch[];
  /** The largest head known outside. */
  readonly external: ExternalHead | null;
  readonly conflict: (Conflict & { readonly reason: string }) | null;
  /** Whether it was held against the chain since the start. */
  readonly chain: ChainWordState;
  /** When the oldest bodies end their retention, ISO 8601; absent while that is not known. */
  readonly nextErasure?: string;
}

export interface ResolveRequest {
  /** Who decides it. */
  readonly context: AccessContext;
  /** Checkpoints of this log that somebody kept: they are held against the log first. */
  readonly told?: readonly SignedHead[];
}

/** What to compare with, and how to follow a verification. */
export type AuditVerifyRequest = Pick<VerifyLogOptions, 'onProgress' | 'signal'> & {
  readonly anchors: readonly AuditAnchor[];
};

/** The audit log: appended and durable before the first byte of private data is served. */
export interface Audit extends Service {
  /**
   * Resolves once the leaf is durable. Throws AUDIT_NOT_WRITABLE, NODE_DISK_FULL, AUDIT_DAMAGED, AUDIT_TRUNCATED or
   * AUDIT_FORKED: then serve nothing.
   */
  append(event: AuditInput): Promise<{ index: number; leafHash: LeafHash }>;
  treeHead(): { size: number; root: RootHash };
  checkpoint(): Promise<IssuedCheckpoint>;
  /** Reading the log is itself logged, before anything is returned. */
  entry(index: number, context: AccessContext): Promise<AuditEntry>;
  /** A page of the entries that a filter means; the whole reading is logged once, before its first page. */
  query(query: AuditQuery, context: AccessContext, signal?: AbortSignal): Promise<AuditPage>;
  /**
   * A bundle of the entries that a filter means, for a reader without the node. What is about to be shown is in the log, under a
   * checkpoint, before this resolves.
   */
  export(request: AuditExportRequest, context: AccessContext, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** A stand-alone proof. With a context it discloses the body, and the reading is logged; without, it does not. */
  prove(index: number, context?: AccessContext): Promise<AuditProof>;
  /** Hashes that lead from an older tree to the last checkpoint. */
  consistency(from: number): Promise<{ from: number; checkpoint: IssuedCheckpoint; path: readonly string[] }>;
  verify(request: AuditVerifyRequest): Promise<AuditVerdict>;
  /** What happened to records from a leaf on: for the node's own cross-check, not for people. */
  records(from: number, signal: AbortSignal): AsyncIterable<RecordEvidence>;
  /** The newest generation of each file of the home that a leaf states: what is older on disk was put back. */
  latest(): Promise<FileGenerations>;
  /** The tokens that the log knows of, revoked ones included. */
  loggedTokens(): Promise<readonly LoggedToken[]>;
  /** The newest leaf of each kind and subject that tells of hardening reports and backups, oldest first. */
  loggedNotes(): Promise<readonly LoggedNote[]>;
  /**
   * Tells of a tree head that left the machine: anchored, cosigned. Before the start it is kept until then. Throws AUDIT_TRUNCATED or
   * AUDIT_FORKED when the log contradicts it: from then on nothing is appended or signed, over every restart, until resolve().
   */
  witnessed(head: WitnessedHead | SignedHead): Promise<void>;
  /** The log was held against a chain that is known up to now: callers need not wait any longer. */
  chainHeard(): Promise<void>;
  /** Resolves when nothing bars the log: at once, or after resolve(). What follows the log in the wiring waits for it. */
  whenSound(signal: AbortSignal): Promise<void>;
  /** Works in a log that is barred, too. */
  standing(): AuditStanding;
  /** An operator declares that what is missing is lost: a successor epoch begins. Throws AUDIT_NOTHING_TO_RESOLVE. */
  resolve(request: ResolveRequest): Promise<DeclaredEpoch>;
  /** Erases the bodies of full bundles older than a time; proofs stay valid. */
  erase(before: Date, context: AccessContext): Promise<{ erased: number }>;
  /** The log's verifier key, NAME+HASH+KEY. */
  vkey(): string;
}
