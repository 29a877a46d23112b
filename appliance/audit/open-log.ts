import type { LeafHash, RootHash } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { TreeHead } from '../../protocol/merkle/verify.ts';
import type { Logger } from '../telemetry/index.ts';
import { createAppendQueue } from './append-queue.ts';
import type { AppendThread } from './append-thread.ts';
import type { BodySealer } from './body-seal.ts';
import { termFactsOf } from './bundle-terms.ts';
import { type CheckpointSigner, createCheckpoints, type SignedSnapshot } from './checkpoints.ts';
import type { LogConfig } from './config.ts';
import type { Disk } from './disk.ts';
import type { Epochs } from './epochs.ts';
import type { AuditInput } from './event.ts';
import { createGenerations, type Generations } from './generations.ts';
import type { GenerationsFile } from './generations-file.ts';
import { createKeptTerms, type KeptTerms } from './kept-terms.ts';
import { type Appended, createLog, type Log } from './log.ts';
import type { AuditMetrics } from './metrics.ts';
import { createEntryMaker, type EntryMaker, type PendingEntry } from './pending.ts';
import { createReader, type Reader } from './reader.ts';
import { recoverLog } from './recover.ts';
import type { TermsFile } from './terms-file.ts';

/** An open log: its leaves on disk, with what appends to, signs and reads them. */
export interface OpenLog {
  readonly leaves: Log;
  readonly reader: Reader;
  readonly terms: Pick<KeptTerms, 'whileErasing'>;
  /** What the log says of the files of the home. */
  readonly generations: Pick<Generations, 'latest' | 'tokens' | 'notes'>;
  /** Bytes of a write that never completed, which the next append removes. */
  readonly torn: number;
  /** @param time of the leaf in milliseconds; now unless it records what was decided earlier */
  append(event: AuditInput, time?: number): Promise<{ index: number; leafHash: LeafHash }>;
  /** Resolves when no append is under way. */
  idle(): Promise<void>;
  checkpoint(): Promise<SignedSnapshot>;
  treeHead(): { size: number; root: RootHash };
  /** The tree head, once every file that it needs is on disk. */
  settled(): Promise<TreeHead>;
  /** Throws AUDIT_INDEX_OUT_OF_RANGE. */
  requireLeaf(index: number): void;
  /** Waits for appends, signs the last checkpoint unless the log must not be signed, closes the files. */
  close(how: { sign: boolean }): Promise<void>;
}

export interface OpenLogDeps {
  readonly disk: Disk;
  readonly epochs: Epochs;
  readonly signer: CheckpointSigner;
  readonly sealer: BodySealer;
  readonly thread: AppendThread;
  readonly generationsFile: GenerationsFile;
  readonly termsFile: TermsFile;
  readonly metrics: AuditMetrics;
  readonly config: LogConfig;
  readonly log: Logger;
  readonly now: () => number;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** Opens the log as it is found on disk; throws the error of the registry that says what is wrong with it. */
export async function openLog(deps: OpenLogDeps): Promise<OpenLog> {
  const { metrics, config, epochs, randomBytes } = deps;
  const recovered = await recoverLog(deps.disk, deps);
  const prepare = { origin: epochs.base, maxBodyBytes: config.maxBodyBytes, randomBytes };
  const maker = createEntryMaker({ ...deps, prepare });
  const leaves = createLog({
    ...deps,
    maker,
    recovered,
    onCommitted({ leaves: count, bytes }) {
      metrics.appended.inc({ outcome: 'durable' }, count);
      metrics.bytes.inc(bytes);
      metrics.groupSize.observe(count);
      metrics.treeSize.set(leaves.size());
    },
    onFlushFailed: (error) => deps.log.warn({ code: codeOf(error) }, 'tiles wait for the disk'),
  });
  metrics.treeSize.set(leaves.size());
  const checkpoints = createCheckpoints({
    ...deps,
    key: epochs.key,
    log: leaves,
    onIssued: () => metrics.checkpoints.inc(),
  });
  const issueBehind = async (): Promise<void> => {
    await checkpoints
      .issue()
      .catch((error: unknown) => deps.log.warn({ code: codeOf(error) }, 'the checkpoint cannot be written'));
  };
  const terms = createKeptTerms({ ...deps, file: deps.termsFile, leaves, erasedAt: () => generations.erasedAt() });
  const reader = createReader({ ...deps, log: leaves, terms, key: epochs.key });
  const generations: Generations = createGenerations({ ...deps, file: deps.generationsFile, leaves, reader });
  const append = createAppend(
    deps,
    { leaves, maker },
    {
      taken(index, event) {
        generations.take(index, event);
        terms.take(index, termFactsOf(event));
      },
      signWhenDue() {
        const due = leaves.size() - checkpoints.size >= config.checkpointEveryLeaves;
        return due ? issueBehind() : Promise.resolve();
      },
    },
  );
  // The first checkpoint comes before the first leaf: from then on a missing one is a removed one.
  if (recovered.signedAs !== epochs.key().name) await checkpoints.issue();
  await generations.open();
  return {
    leaves,
    reader,
    terms,
    generations,
    torn: recovered.torn,
    append: append.one,
    idle: append.drain,
    checkpoint: () => checkpoints.issue(),
    treeHead() {
      const { size, root } = leaves.snapshot();
      return { size, root: Buffer.from(root).toString('hex') as RootHash };
    },
    async settled() {
      const { size, root } = leaves.snapshot();
      await leaves.flush();
      return { size, root };
    },
    requireLeaf(index) {
      if (!Number.isSafeInteger(index) || index < 0 || index >= leaves.size())
        throw new NectarError('AUDIT_INDEX_OUT_OF_RANGE', { index, size: leaves.size() });
    },
    async close({ sign }) {
      await append.drain();
      if (sign) {
        await issueBehind();
        await generations.save();
        await terms.save();
      }
      await deps.thread.end();
      await leaves.close();
    },
  };
}

/**
 * Appends that share fsyncs. `taken` hears of each leaf, in their order. Behind them `signWhenDue` is called, never twice at once: a checkpoint that fails now is signed
 * with the next one.
 */
function createAppend(
  { metrics, config, now }: OpenLogDeps,
  { leaves, maker }: { readonly leaves: Log; readonly maker: EntryMaker },
  behind: { taken(index: number, event: AuditInput): void; signWhenDue(): Promise<void> },
): { one: OpenLog['append']; drain(): Promise<void> } {
  const queue = createAppendQueue<PendingEntry, Appended>({
    maxPending: config.maxPendingAppends,
    async commit(entries) {
      const stop = metrics.commitSeconds.startTimer();
      try {
        return await leaves.commit(entries);
      } finally {
        stop();
      }
    },
  });
  let signing = false;
  return {
    drain: () => queue.drain(),
    async one(event, time = now()) {
      const { index, hash } = await queue.push(maker.accept(event, time)).catch((error: unknown) => {
        metrics.appended.inc({ outcome: 'refused' });
        throw error;
      });
      behind.taken(index, event);
      if (!signing) {
        signing = true;
        void behind.signWhenDue().finally(() => {
          signing = false;
        });
      }
      return { index, leafHash: Buffer.from(hash).toString('hex') as LeafHash };
    },
  };
}

function codeOf(error: unknown): string {
  return error instanceof NectarError ? error.code : 'unknown';
}
