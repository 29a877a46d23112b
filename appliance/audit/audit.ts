import type { LeafHash, RootHash } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { AuditProof } from '../../protocol/merkle/audit-proof.ts';
import {
  encodeVerifierKey,
  parseVerifierKey,
  SIGNATURE_TYPE,
  type VerifierKey,
} from '../../protocol/merkle/verifier-key.ts';
import { faulty, type Readiness } from '../service.ts';
import { type ChainWord, createChainWord } from './chain-word.ts';
import type { IssuedCheckpoint } from './checkpoints.ts';
import type { DeclaredEpoch } from './declared-epoch.ts';
import { createDisk, type Disk } from './disk.ts';
import { eraseBodies } from './erase.ts';
import type { AccessContext, AuditInput } from './event.ts';
import { type RecordEvidence, recordEvidence } from './evidence.ts';
import { type AuditExportRequest, exportBundle } from './export.ts';
import { conflictError, describeConflict, type WitnessedHead } from './freshness.ts';
import { type AuditMetrics, createAuditMetrics } from './metrics.ts';
import { type OpenAudit, openAudit } from './open-audit.ts';
import { type AuditPage, type AuditQuery, createQueries, type Queries } from './query.ts';
import type { AuditEntry } from './reader.ts';
import { createResealing, type Resealing } from './reseal.ts';
import { resolveConflict } from './resolve-conflict.ts';
import { createRetention, type Retention } from './retention.ts';
import type {
  Audit,
  AuditDeps,
  AuditOptions,
  AuditStanding,
  AuditVerifyRequest,
  ResolveRequest,
} from './service-contract.ts';
import { parseSignedHead, type SignedHead } from './signed-head.ts';
import { describeStanding } from './standing.ts';
import { type AuditVerdict, verifyLog } from './verify-folder.ts';
import { createWriteHealth, type WriteHealth } from './write-health.ts';

/** Heads that wait for the start. */
const MAX_EARLY_HEADS = 64;

export function createAudit(options: AuditOptions, deps: AuditDeps): Audit {
  return new AuditLog(options, { ...deps, log: deps.log.child({ service: 'audit' }) });
}

type State =
  | { readonly is: 'stopped' }
  | ({ readonly is: 'open'; readonly health: WriteHealth; readonly chain: ChainWord } & OpenAudit)
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
  /** Heads that were told of before the start. */
  readonly #early: (WitnessedHead | SignedHead)[] = [];
  readonly #sound = new Set<() => void>();
  readonly #queries: Queries;
  readonly #retention: Retention;
  readonly #resealing: Resealing;
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
    this.#resealing = createResealing({ disk: this.#disk, append: (event) => this.append(event), log: deps.log });
    this.#retention = createRetention({
      days: options.config.retentionDays,
      leaves: () => this.#open().log.leaves,
      erase: (before) => this.erase(before, NODE_CONTEXT),
      log: deps.log,
      now: deps.now,
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#state.is !== 'stopped') return;
    const { log } = this.#deps;
    const parts = { disk: this.#disk, metrics: this.#metrics, key: this.#key, early: () => this.#early.splice(0) };
    const opened = await openAudit(this.#options, this.#deps, parts);
    if (opened instanceof NectarError) {
      this.#state = { is: 'damaged', reason: opened.message };
      log.error({ code: opened.code }, 'the audit log is damaged: nothing private is served');
      return;
    }
    const probe = (): Promise<unknown> => this.#recordRecovery({ cause: 'not writable' });
    const chain = createChainWord({ waitMs: this.#options.chainWaitMs, log, metrics: this.#metrics });
    this.#state = { is: 'open', ...opened, chain, health: createWriteHealth({ log, signal, probe }) };
    if (opened.fresh.freshness.conflict !== null) chain.release();
    const { torn, leaves } = opened.log;
    if (torn > 0) {
      log.warn({ bytes: torn }, 'removing the bytes of a write that never completed');
      await this.#recordRecovery({ tornBytes: torn }).catch(() => undefined);
    }
    log.info({ size: leaves.size() }, 'audit log open');
    this.#resealing.start({ ...opened.log, ...opened.sealing }, signal);
    this.#retention.start(signal);
  }

  async stop(): Promise<void> {
    await this.#resealing.stop();
    await this.#retention.stop();
    const state = this.#state;
    this.#state = { is: 'stopped' };
    if (state.is !== 'open') return;
    state.chain.release();
    await state.log.close({ sign: state.fresh.freshness.conflict === null });
  }

  readiness(): Readiness {
    const state = this.#state;
    if (state.is === 'damaged') return { ready: false, reason: `the audit log is damaged: ${state.reason}` };
    const conflict = state.is === 'open' ? state.fresh.freshness.conflict : null;
    if (conflict !== null) return { ...faulty(conflictError(conflict)), reason: describeConflict(conflict) };
    const reason = state.is === 'open' ? state.health.failure : 'not started';
    return reason === undefined ? { ready: true } : { ready: false, reason };
  }

  async append(event: AuditInput): Promise<{ index: number; leafHash: LeafHash }> {
    await this.#open().chain.before(event);
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
    const { log, fresh } = this.#open();
    const { epochs, freshness } = fresh;
    // Heads of what an epoch declares lost lead to another tree.
    const lost = await Promise.all(request.anchors.map((anchor) => freshness.isLost(anchor)));
    const anchors = request.anchors.filter((_, i) => lost[i] === false);
    return exportBundle({ ...request, anchors }, context, {
      log,
      key: epochs.key(),
      append: this.append.bind(this),
      signal,
    });
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

  async witnessed(head: WitnessedHead | SignedHead): Promise<void> {
    const state = this.#state;
    if (state.is === 'open') {
      const { fresh, chain } = state;
      await fresh.freshness.witness('note' in head ? parseSignedHead(head, fresh.epochs) : head).finally(() => {
        if (fresh.freshness.conflict !== null) chain.release();
      });
    } else if (this.#early.length < MAX_EARLY_HEADS) this.#early.push(head);
  }

  async chainHeard(): Promise<void> {
    if (this.#state.is === 'open') this.#state.chain.heard();
  }

  whenSound(signal: AbortSignal): Promise<void> {
    const state = this.#state;
    if (state.is !== 'open' || state.fresh.freshness.conflict === null) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#sound.add(resolve);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }

  standing(): AuditStanding {
    return describeStanding(this.#opened(), this.#retention.next());
  }

  async resolve({ context, told = [] }: ResolveRequest): Promise<DeclaredEpoch> {
    const { log, fresh } = this.#opened();
    const { epoch, code } = await resolveConflict({ ...this.#deps, ...fresh, log }, told);
    const detail = { epoch: epoch.number, code };
    await this.append({ type: 'audit.resolve', outcome: 'success', context, detail });
    for (const wake of this.#sound) wake();
    this.#sound.clear();
    return epoch;
  }

  /** Verifies the files, not the memory; the tree in memory is one more head to compare with. */
  async verify(request: AuditVerifyRequest): Promise<AuditVerdict> {
    const { witnesses = [] } = this.#options;
    const state = this.#state;
    if (state.is === 'stopped') this.#opened();
    const known = state.is === 'open' ? state.fresh.freshness.heads : [];
    return verifyLog({
      ...request,
      disk: this.#disk,
      key: this.#key,
      witnessKeys: witnesses.map(parseVerifierKey),
      bodyKey: this.#deps.keys.derive('audit-body'),
      anchors: [...known, ...request.anchors],
      now: this.#deps.now(),
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

  readonly latest: Audit['latest'] = async () => this.#open().log.generations.latest();
  readonly loggedTokens: Audit['loggedTokens'] = async () => this.#open().log.generations.tokens();
  readonly loggedNotes: Audit['loggedNotes'] = async () => this.#open().log.generations.notes();

  async erase(before: Date, context: AccessContext): Promise<{ erased: number }> {
    const { log } = this.#open();
    const { erased } = await log.terms.whileErasing(async () => {
      await this.append({ type: 'audit.erase', outcome: 'success', context, detail: { before: before.toISOString() } });
      await log.checkpoint(); // a leaf without a body must be covered by a signature
      return this.#resealing.inTurn(() => eraseBodies(this.#disk, log.leaves, before));
    });
    return { erased };
  }

  vkey(): string {
    return encodeVerifierKey(this.#key);
  }

  /** Throws NODE_NOT_READY, AUDIT_DAMAGED, or what bars the log. */
  #open(): State & { readonly is: 'open' } {
    const state = this.#opened();
    if (state.fresh.freshness.conflict !== null) throw conflictError(state.fresh.freshness.conflict);
    return state;
  }

  /** Throws NODE_NOT_READY or AUDIT_DAMAGED. */
  #opened(): State & { readonly is: 'open' } {
    const state = this.#state;
    if (state.is === 'open') return state;
    if (state.is === 'damaged') throw new NectarError('AUDIT_DAMAGED', { reason: state.reason });
    throw new NectarError('NODE_NOT_READY', { service: 'audit', reason: 'not started' });
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
