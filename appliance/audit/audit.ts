import type { LeafHash, RootHash } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { AuditProof } from '../../protocol/merkle/audit-proof.ts';
import {
  encodeVerifierKey,
  parseVerifierKey,
  SIGNATURE_TYPE,
  type VerifierKey,
} from '../../protocol/merkle/verifier-key.ts';
import type { Readiness, Service } from '../service.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import { createBodySealer } from './body-seal.ts';
import type { CheckpointSigner, IssuedCheckpoint } from './checkpoints.ts';
import type { AuditConfig } from './config.ts';
import { createDisk, type Disk } from './disk.ts';
import { eraseBodies } from './erase.ts';
import type { AccessContext, AuditInput } from './event.ts';
import { type RecordEvidence, recordEvidence } from './evidence.ts';
import { type AuditExportRequest, exportBundle } from './export.ts';
import type { FileGenerations } from './generations.ts';
import { createGenerationsFile } from './generations-file.ts';
import type { LoggedToken } from './generations-fold.ts';
import { type AuditMetrics, createAuditMetrics } from './metrics.ts';
import { type OpenLog, openLog } from './open-log.ts';
import { type AuditPage, type AuditQuery, createQueries, type Queries } from './query.ts';
import type { AuditEntry } from './reader.ts';
import { type AuditAnchor, type AuditVerdict, type VerifyLogOptions, verifyLog } from './verify-folder.ts';
import { createWriteHealth, type WriteHealth } from './write-health.ts';

export interface AuditOptions {
  /** HOME/audit. */
  readonly folder: string;
  /** The log's identity and the name of its key: no spaces, no plus. */
  readonly origin: string;
  readonly config: AuditConfig;
  /** Tree heads that have left the machine; the log does not start below one. */
  readonly external?: readonly AuditAnchor[];
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

/** What to compare with, and how to follow a verification. */
export type AuditVerifyRequest = Pick<VerifyLogOptions, 'onProgress' | 'signal'> & {
  readonly anchors: readonly AuditAnchor[];
};

/** The audit log: appended and durable before the first byte of private data is served. */
export interface Audit extends Service {
  /** Resolves once the leaf is durable. Throws AUDIT_NOT_WRITABLE, NODE_DISK_FULL or AUDIT_DAMAGED: then serve nothing. */
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
  /** Erases the bodies of full bundles older than a time; proofs stay valid. */
  erase(before: Date, context: AccessContext): Promise<{ erased: number }>;
  /** The log's verifier key, NAME+HASH+KEY. */
  vkey(): string;
}

export function createAudit(options: AuditOptions, deps: AuditDeps): Audit {
  return new AuditLog(options, { ...deps, log: deps.log.child({ service: 'audit' }) });
}

type State =
  | { readonly is: 'stopped' }
  | { readonly is: 'open'; readonly log: OpenLog; readonly health: WriteHealth }
  // Alive, so that verify() can tell what is wrong; but nothing is appended, so nothing private is served.
  | { readonly is: 'damaged'; readonly reason: string };

const NODE_CONTEXT: AccessContext = { actor: { subject: 'node' }, requestId: 'node' };

class AuditLog implements Audit {
  readonly name = 'audit';
  readonly #options: AuditOptions;
  readonly #deps: AuditDeps;
  readonly #disk: Disk;
  readonly #metrics: AuditMetrics;
  readonly #key: VerifierKey;
  readonly #queries: Queries;
  #state: State = { is: 'stopped' };

  constructor(options: AuditOptions, deps: AuditDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#disk = deps.disk ?? createDisk(options.folder);
    this.#metrics = createAuditMetrics(deps.metrics);
    this.#key = { name: options.origin, type: SIGNATURE_TYPE.ed25519, publicKey: deps.signer.publicKey };
    this.#queries = createQueries({
      open: () => this.#open().log,
      logReading: (context, detail) => this.#logReading(context, detail),
      now: deps.now,
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#state.is !== 'stopped') return;
    const { log } = this.#deps;
    const opened = await this.#openLog().catch((error: unknown) => {
      if (error instanceof NectarError) return error;
      throw error;
    });
    if (opened instanceof NectarError) {
      this.#state = { is: 'damaged', reason: opened.message };
      log.error({ code: opened.code }, 'the audit log is damaged: nothing private is served');
      return;
    }
    const probe = (): Promise<unknown> => this.#recordRecovery({ cause: 'not writable' });
    this.#state = { is: 'open', log: opened, health: createWriteHealth({ log, signal, probe }) };
    if (opened.torn > 0) {
      log.warn({ bytes: opened.torn }, 'removing the bytes of a write that never completed');
      await this.#recordRecovery({ tornBytes: opened.torn }).catch(() => undefined);
    }
    log.info({ size: opened.leaves.size() }, 'audit log open');
  }

  async stop(): Promise<void> {
    const state = this.#state;
    this.#state = { is: 'stopped' };
    if (state.is === 'open') await state.log.close();
  }

  readiness(): Readiness {
    const state = this.#state;
    if (state.is === 'damaged') return { ready: false, reason: `the audit log is damaged: ${state.reason}` };
    const reason = state.is === 'open' ? state.health.failure : 'not started';
    return reason === undefined ? { ready: true } : { ready: false, reason };
  }

  async append(event: AuditInput): Promise<{ index: number; leafHash: LeafHash }> {
    const { log, health } = this.#open();
    return health.watch(() => log.append(event));
  }

  treeHead(): { size: number; root: RootHash } {
    return this.#open().log.treeHead();
  }

  async checkpoint(): Promise<IssuedCheckpoint> {
    return (await this.#open().log.checkpoint()).issued;
  }

  async entry(index: number, context: AccessContext): Promise<AuditEntry> {
    const { log } = this.#open();
    log.requireLeaf(index);
    await this.#logReading(context, { index });
    return log.reader.entry(index);
  }

  async query(query: AuditQuery, context: AccessContext, signal?: AbortSignal): Promise<AuditPage> {
    return this.#queries.page(query, context, signal);
  }

  async export(
    request: AuditExportRequest,
    context: AccessContext,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    const { log } = this.#open();
    const append = (event: AuditInput) => this.append(event);
    return exportBundle(request, context, { log, key: this.#key, append, signal });
  }

  async prove(index: number, context?: AccessContext): Promise<AuditProof> {
    const { log } = this.#open();
    log.requireLeaf(index);
    if (context !== undefined) await this.#logReading(context, { index, proof: 1 });
    return log.reader.prove(index, await log.checkpoint(), context !== undefined);
  }

  async consistency(from: number): ReturnType<Audit['consistency']> {
    const { log } = this.#open();
    const { issued, at } = await log.checkpoint();
    const path = await log.leaves.consistency(from, at);
    return { from, checkpoint: issued, path: path.map((hash) => Buffer.from(hash).toString('hex')) };
  }

  /** Verifies the files, not the memory; the tree in memory is one more head to compare with. */
  async verify(request: AuditVerifyRequest): Promise<AuditVerdict> {
    const { external = [], witnesses = [] } = this.#options;
    const state = this.#state;
    if (state.is === 'stopped') this.#open();
    return verifyLog({
      ...request,
      disk: this.#disk,
      key: this.#key,
      witnessKeys: witnesses.map(parseVerifierKey),
      bodyKey: this.#deps.keys.derive('audit-body'),
      anchors: [...external, ...request.anchors],
      ...(state.is === 'open' ? { live: () => state.log.settled() } : {}),
    });
  }

  async *records(from: number, signal: AbortSignal): AsyncIterable<RecordEvidence> {
    const { reader, leaves } = this.#open().log;
    for await (const entry of reader.entries(from, leaves.size())) {
      signal.throwIfAborted();
      if (entry.leaf.type.startsWith('record.')) yield recordEvidence(entry);
    }
  }

  async latest(): Promise<FileGenerations> {
    return this.#open().log.generations.latest();
  }

  async loggedTokens(): Promise<readonly LoggedToken[]> {
    return this.#open().log.generations.tokens();
  }

  async erase(before: Date, context: AccessContext): Promise<{ erased: number }> {
    const { log } = this.#open();
    await this.append({ type: 'audit.erase', outcome: 'success', context, detail: { before: before.toISOString() } });
    await log.checkpoint(); // a leaf without a body must be covered by a signature
    return { erased: await eraseBodies(this.#disk, log.leaves, before) };
  }

  vkey(): string {
    return encodeVerifierKey(this.#key);
  }

  /** Throws NODE_NOT_READY or AUDIT_DAMAGED. */
  #open(): State & { readonly is: 'open' } {
    const state = this.#state;
    if (state.is === 'open') return state;
    if (state.is === 'damaged') throw new NectarError('AUDIT_DAMAGED', { reason: state.reason });
    throw new NectarError('NODE_NOT_READY', { service: 'audit', reason: 'not started' });
  }

  async #openLog(): Promise<OpenLog> {
    const { external = [], origin, config } = this.#options;
    const key = this.#key;
    encodeVerifierKey(key); // refuses an origin that cannot be a key name before anything is signed with it
    const { randomBytes } = this.#deps;
    const bodyKey = this.#deps.keys.derive('audit-body');
    const sealer = createBodySealer(bodyKey, origin, randomBytes);
    const generationsFile = createGenerationsFile({ disk: this.#disk, bodyKey, origin, randomBytes });
    const heads = external.map(({ size, root, where }) => ({ size, where, root: Buffer.from(root, 'hex') }));
    const at = { disk: this.#disk, metrics: this.#metrics, external: heads };
    return openLog({ ...this.#deps, ...at, key, sealer, generationsFile, config });
  }

  /** Evidence in the log itself that recording was interrupted. If it cannot be written, neither can anything else. */
  async #recordRecovery(detail: Record<string, string | number>): Promise<void> {
    await this.append({ type: 'audit.recover', outcome: 'success', context: NODE_CONTEXT, detail });
  }

  /** Whatever shows a body to somebody is in the log before it is read. */
  async #logReading(context: AccessContext, detail: Record<string, string | number>): Promise<void> {
    await this.append({ type: 'audit.read', outcome: 'success', context, detail });
  }
}
