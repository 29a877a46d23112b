/** What the keys provide, and what they need. */
import type { DekContext } from '../../protocol/envelope/aad.ts';
import type { EnvelopeCrypto } from '../../protocol/envelope/crypto.ts';
import type { WrappedDek } from '../../protocol/envelope/wrapped-dek.ts';
import type { Service } from '../service.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { KeyContradiction } from './held-files.ts';
import type { KeyPurpose } from './hierarchy.ts';
import type { KeyInfo, ProviderInfo, PurposeInfo } from './key-list.ts';
import type { UnlockSecret } from './open-root-key.ts';
import type { Enrolment } from './root-key.ts';
import type { ReplacedRoot, RootWanted } from './root-replacement.ts';
import type { RunTool } from './run-tool.ts';

/** What a look at the files found that the look before had not. */
export interface LookedAtFiles {
  /** Undefined: keys.json is the list of this process again. */
  readonly list: KeyContradiction | undefined;
}

/** The secret boundary: nothing else in the node ever sees the root key or a KEK. */
export interface Keys extends Service {
  state(): 'locked' | 'unlocked';
  unlock(secret: UnlockSecret): Promise<void>;
  whenUnlocked(signal: AbortSignal): Promise<void>;
  /** 32 bytes, or a secret of an index or of bodies (index-secret.ts, body-secret.ts); a fresh copy: the caller may wipe it. KEY_LOCKED. */
  derive(purpose: KeyPurpose, length?: 32): Uint8Array;
  /** Likewise the secret that the index is to be sealed by next; undefined where there is none. */
  pending(purpose: 'index'): Uint8Array | undefined;
  newDek(context: DekContext): { dek: Uint8Array; wrapped: WrappedDek };
  unwrapDek(wrapped: WrappedDek, context: DekContext): Uint8Array;
  /** Under the current KEK; what is under it already comes back as it is. */
  rewrapDek(wrapped: WrappedDek, context: DekContext): WrappedDek;
  list(): readonly KeyInfo[];
  providers(): readonly ProviderInfo[];
  /** Which of the keys for everything but records were replaced with the root key. */
  purposes(): readonly PurposeInfo[];
  rotate(): Promise<{ from: string; to: string; generation: number }>;
  /**
   * Destroys every KEK but the current one, or every one that is older than the one named: only once no record is wrapped by them.
   */
  retire(olderThan?: string): Promise<{ destroyed: readonly string[]; generation: number }>;
  /** Wraps the root key for one more provider. */
  enroll(wanted: Enrolment): Promise<{ id: string; generation: number }>;
  change(id: string, wanted: Enrolment): Promise<{ id: string; generation: number }>;
  remove(id: string): Promise<{ id: string; generation: number }>;
  /**
   * Another root key: what the one before opens is this list no more. The identities are sealed anew behind it (`settleRoot`).
   *
   * @throws NectarError KEY_ROOT_DERIVED, KEY_ROOT_PROVIDER_CLOSED, KEY_ROOT_UNSETTLED, KEY_ROOT_INDEX_PENDING
   */
  replaceRoot(wanted: RootWanted): Promise<ReplacedRoot>;
  /** Whether identities may still be sealed by the key that they had under an earlier root key. */
  isUnsettled(): boolean;
  /** Seals those identities anew, and lets go of that key. */
  settleRoot(): Promise<{ generation: number }>;
  /** The index is sealed by the pending key: it is the current one from here on, and the one before is forgotten. */
  settleIndex(): Promise<{ generation: number }>;
  /** Of a list that a backup brought: takes the secret of a log that went on behind the backup. */
  adoptBodySecret(secret: Uint8Array): Promise<{ generation: number }>;
  /** Which version of itself the key list is; 0: of a format that did not count. */
  generation(): number;
  /** Writes a list of an older format in this one, as its first generation. */
  bringAlong(): Promise<{ generation: number }>;
  /** The log states another generation. From here on nothing is wrapped, unwrapped or changed, until `resolve`. */
  block(reason: KeyContradiction): void;
  /**
   * Holds keys.json and the sealed identities on the disk against those that this process works with; resolves with what has changed
   * since the last look, if anything. While keys.json is another one nothing is wrapped and nothing changed: at the end of the process
   * the keys of what is put now would be lost. What is there is still opened: the list in memory is the newest.
   */
  lookAtFiles(): Promise<LookedAtFiles | undefined>;
  /**
   * An operator's decision that this list is the one: a new generation past the one the log states, with a new KEK. Without a
   * contradiction: KEY_STORE_AGREES.
   */
  resolve(): Promise<{ from: string; to: string; generation: number }>;
  /** A copy of the root key, for a recovery kit, in this process alone: no crossing has it. The caller wipes it. KEY_LOCKED. */
  exportRoot(): Uint8Array;
  /** Opens the node with the root key that recovery officers gave back; takes it over. KEY_SHARES_WRONG when it is another node's. */
  openWithRoot(root: Uint8Array): void;
  sealIdentity(name: string, secret: Uint8Array): Promise<void>;
  openIdentity(name: string): Promise<Uint8Array>;
}

export interface KeysDeps {
  readonly crypto: EnvelopeCrypto;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly now: () => Date;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Injected in tests; waits by timer otherwise. */
  readonly sleep?: (ms: number) => Promise<void>;
  /** How programs are started; undefined where this process may start none. */
  readonly run?: RunTool | undefined;
  /** $CREDENTIALS_DIRECTORY. */
  readonly credentials?: string | undefined;
}
