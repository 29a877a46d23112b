import type { LeafHash, RootHash } from '../../protocol/brand.ts';
import type { AuditProof } from '../../protocol/merkle/audit-proof.ts';
import { encodeVerifierKey, parseVerifierKey } from '../../protocol/merkle/verifier-key.ts';
import type { Service } from '../service.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import type { CheckpointSigner, IssuedCheckpoint } from './checkpoints.ts';
import type { AuditConfig } from './config.ts';
import { createDisk, type Disk } from './disk.ts';
import { eraseBodies } from './erase.ts';
import type { AccessContext, AuditInput } from './event.ts';
import { type RecordEvidence, recordEvidence } from './evidence.ts';
import { createAuditMetrics } from './metrics.ts';
import { createOpening, type Opening } from './opening.ts';
import { type AuditPage, type AuditQuery, createQueries } from './query.ts';
import type { AuditEntry } from './reader.ts';
import { type AuditAnchor, type AuditVerdict, type VerifyLogOptions, verifyLog } from './verify-folder.ts';

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
  /** A stand-alone proof. With a context it discloses the body, and the reading is logged; without, it does not. */
  prove(index: number, context?: AccessContext): Promise<AuditProof>;
  /** Hashes that lead from an older tree to the last checkpoint. */
  consistency(from: number): Promise<{ from: number; checkpoint: IssuedCheckpoint; path: string[] }>;
  verify(request: AuditVerifyRequest): Promise<AuditVerdict>;
  /** What happened to records from a leaf on: for the node's own cross-check, not for people. */
  records(from: number, signal: AbortSignal): AsyncIterable<RecordEvidence>;
  /** Erases the bodies of full bundles older than a time; proofs stay valid. */
  erase(before: Date, context: AccessContext): Promise<{ erased: number }>;
  /** The log's verifier key, NAME+HASH+KEY. */
  vkey(): string;
}

export function createAudit(options: AuditOptions, deps: AuditDeps): Audit {
  const log = deps.log.child({ service: 'audit' });
  const disk = deps.disk ?? createDisk(options.folder);
  const opening = createOpening({ options, deps, disk, log, metrics: createAuditMetrics(deps.metrics) });
  return {
    name: 'audit',
    start: (signal) => opening.open(signal),
    stop: () => opening.close(),
    readiness: () => opening.readiness(),
    append: (event) => opening.append(event),
    treeHead: () => opening.running().treeHead(),
    checkpoint: async () => (await opening.running().checkpoint()).issued,
    vkey: () => encodeVerifierKey(opening.key()),
    verify: (request) => verify(request, { options, deps, disk, opening }),
    async erase(before, context) {
      await opening.append({
        type: 'audit.erase',
        outcome: 'success',
        context,
        detail: { before: before.toISOString() },
      });
      await opening.running().checkpoint(); // a leaf without a body must be covered by a signature
      return { erased: await eraseBodies(disk, opening.running().log, before) };
    },
    ...createReadings(opening, deps.now),
  };
}

/** Whatever shows a body to somebody is in the log before it is read. */
function createReadings(
  { running, append }: Opening,
  now: () => number,
): Pick<Audit, 'entry' | 'query' | 'prove' | 'consistency' | 'records'> {
  async function logReading(context: AccessContext, detail: Record<string, string | number>): Promise<void> {
    await append({ type: 'audit.read', outcome: 'success', context, detail });
  }

  return {
    async entry(index, context) {
      running().requireLeaf(index);
      await logReading(context, { index });
      return running().reader.entry(index);
    },
    query: createQueries({ running, logReading, now }).page,
    async prove(index, context) {
      running().requireLeaf(index);
      if (context !== undefined) await logReading(context, { index, proof: 1 });
      return running().reader.prove(index, await running().checkpoint(), context !== undefined);
    },
    async consistency(from) {
      const { issued, at } = await running().checkpoint();
      const path = await running().log.consistency(from, at);
      return { from, checkpoint: issued, path: path.map((hash) => Buffer.from(hash).toString('hex')) };
    },
    async *records(from, signal) {
      const { reader, log } = running();
      for await (const entry of reader.entries(from, log.size())) {
        signal.throwIfAborted();
        if (entry.leaf.type.startsWith('record.')) yield recordEvidence(entry);
      }
    },
  };
}

interface VerifyDeps {
  readonly options: AuditOptions;
  readonly deps: AuditDeps;
  readonly disk: Disk;
  readonly opening: Opening;
}

/** Verifies the files, not the memory; the tree in memory is one more head to compare with. */
async function verify(
  request: AuditVerifyRequest,
  { options, deps, disk, opening }: VerifyDeps,
): Promise<AuditVerdict> {
  const running = opening.verifiable();
  return verifyLog({
    ...request,
    disk,
    key: opening.key(),
    witnessKeys: (options.witnesses ?? []).map(parseVerifierKey),
    bodyKey: deps.keys.derive('audit-body'),
    anchors: [...(options.external ?? []), ...request.anchors],
    ...(running === undefined ? {} : { live: () => running.settled() }),
  });
}
