import type { LeafHash, RootHash } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { VerifierKey } from '../../protocol/merkle/verifier-key.ts';
import type { TreeHead } from '../../protocol/merkle/verify.ts';
import type { Logger } from '../telemetry/index.ts';
import { type AppendQueue, createAppendQueue } from './append-queue.ts';
import type { BodySealer } from './body-seal.ts';
import { type CheckpointSigner, type Checkpoints, createCheckpoints, type SignedSnapshot } from './checkpoints.ts';
import type { AuditConfig } from './config.ts';
import type { Disk } from './disk.ts';
import { type AuditInput, type PreparedEntry, prepareEntry } from './event.ts';
import { type Appended, createLog, type Log } from './log.ts';
import type { AuditMetrics } from './metrics.ts';
import { createReader, type Reader } from './reader.ts';
import type { RecoveredLog } from './recover.ts';

/** An open log with all that works on it. */
export interface RunningLog {
  readonly log: Log;
  readonly reader: Reader;
  append(event: AuditInput): Promise<{ index: number; leafHash: LeafHash }>;
  checkpoint(): Promise<SignedSnapshot>;
  treeHead(): { size: number; root: RootHash };
  /** The tree head, once every file that it needs is on disk. */
  settled(): Promise<TreeHead>;
  /** Throws AUDIT_INDEX_OUT_OF_RANGE. */
  requireLeaf(index: number): void;
  /** Waits for appends, signs the last checkpoint, closes the files. */
  close(): Promise<void>;
}

export interface RunningLogDeps {
  readonly disk: Disk;
  readonly key: VerifierKey;
  readonly signer: CheckpointSigner;
  readonly sealer: BodySealer;
  readonly recovered: RecoveredLog;
  readonly metrics: AuditMetrics;
  readonly config: AuditConfig;
  readonly log: Logger;
  readonly now: () => number;
  readonly randomBytes: (length: number) => Uint8Array;
}

export function createRunningLog(deps: RunningLogDeps): RunningLog {
  const { metrics, config, key } = deps;
  const log = createLog({
    ...deps,
    onCommitted({ leaves, bytes }) {
      metrics.appended.inc({ outcome: 'durable' }, leaves);
      metrics.bytes.inc(bytes);
      metrics.groupSize.observe(leaves);
      metrics.treeSize.set(log.size());
    },
    onFlushFailed: (error) => deps.log.warn({ code: codeOf(error) }, 'tiles wait for the disk'),
  });
  metrics.treeSize.set(log.size());
  const checkpoints = createCheckpoints({ ...deps, log, onIssued: () => metrics.checkpoints.inc() });
  const queue = createAppendQueue<PreparedEntry, Appended>({
    maxPending: config.maxPendingAppends,
    commit: (entries) => timed(log, entries, metrics),
  });
  const prepare = { origin: key.name, maxBodyBytes: config.maxBodyBytes, now: deps.now, randomBytes: deps.randomBytes };
  return createFace({ log, reader: createReader(log, deps.sealer, key), checkpoints, queue, prepare, deps });
}

interface Parts {
  readonly log: Log;
  readonly reader: Reader;
  readonly checkpoints: Checkpoints;
  readonly queue: AppendQueue<PreparedEntry, Appended>;
  readonly prepare: Parameters<typeof prepareEntry>[1];
  readonly deps: RunningLogDeps;
}

function createFace({ log, reader, checkpoints, queue, prepare, deps }: Parts): RunningLog {
  let signing = false;

  /** Signs behind the appends; a checkpoint that fails now is signed with the next one. */
  function checkpointWhenDue(): void {
    if (signing || log.size() - checkpoints.size < deps.config.checkpointEveryLeaves) return;
    signing = true;
    checkpoints
      .issue()
      .catch((error: unknown) => deps.log.warn({ code: codeOf(error) }, 'no checkpoint could be written'))
      .finally(() => {
        signing = false;
      });
  }

  return {
    log,
    reader,
    async append(event) {
      const entry = prepareEntry(event, prepare);
      const { index, hash } = await queue.push(entry).catch((error: unknown) => {
        deps.metrics.appended.inc({ outcome: 'refused' });
        throw error;
      });
      checkpointWhenDue();
      return { index, leafHash: Buffer.from(hash).toString('hex') as LeafHash };
    },
    checkpoint: () => checkpoints.issue(),
    treeHead() {
      const { size, root } = log.snapshot();
      return { size, root: Buffer.from(root).toString('hex') as RootHash };
    },
    async settled() {
      const { size, root } = log.snapshot();
      await log.flush();
      return { size, root };
    },
    requireLeaf(index) {
      if (!Number.isSafeInteger(index) || index < 0 || index >= log.size())
        throw new NectarError('AUDIT_INDEX_OUT_OF_RANGE', { index, size: log.size() });
    },
    async close() {
      await queue.drain();
      await checkpoints
        .issue()
        .catch((error: unknown) => deps.log.warn({ code: codeOf(error) }, 'no checkpoint could be written'));
      await log.close();
    },
  };
}

async function timed(log: Log, entries: readonly PreparedEntry[], metrics: AuditMetrics): Promise<Appended[]> {
  const stop = metrics.commitSeconds.startTimer();
  try {
    return await log.commit(entries);
  } finally {
    stop();
  }
}

function codeOf(error: unknown): string {
  return error instanceof NectarError ? error.code : 'unknown';
}
