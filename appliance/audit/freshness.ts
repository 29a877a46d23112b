import { isNectarError, NectarError } from '../../protocol/errors.ts';
import type { Logger } from '../telemetry/index.ts';
import {
  AUDIT_CONTEXT,
  type DeclaredEpoch,
  EPOCH_LEAF,
  epochEvent,
  foldDeclared,
  GAP_LEAF,
  gapEvent,
  type KnownHead,
  LOST_LEAF,
} from './declared-epoch.ts';
import type { Disk } from './disk.ts';
import type { Epochs } from './epochs.ts';
import { judgeHead } from './judge-head.ts';
import {
  type Conflict,
  createKnownHeadsFile,
  type ExternalHead,
  type KnownHeads,
  type KnownHeadsFile,
  withHead,
} from './known-heads.ts';
import type { AuditMetrics } from './metrics.ts';
import type { OpenLog } from './open-log.ts';
import { RESTORED_PATH, readRestored } from './restored-mark.ts';

/** A head as whoever saw it outside tells it. */
export interface WitnessedHead extends ExternalHead {
  /** A newer one of the same kind may follow at once: no gap is completed by it. */
  readonly provisional?: boolean;
}

/** An epoch about to be declared. */
export interface NewEpoch {
  readonly cause: DeclaredEpoch['cause'];
  readonly at: number;
  readonly id: string;
}

/** The log held against what is known of it outside, and what is declared where it cannot agree. */
export interface Freshness {
  readonly conflict: Conflict | null;
  readonly declared: readonly DeclaredEpoch[];
  readonly heads: readonly ExternalHead[];
  /** Throws AUDIT_TRUNCATED or AUDIT_FORKED: from then on the log is barred, until an epoch is declared. */
  witness(head: WitnessedHead): Promise<void>;
  /** Whether a head is of a stretch that an epoch declares lost. */
  isLost(head: KnownHead & { readonly at?: number }): Promise<boolean>;
  /** Declares a successor epoch: nothing may be appended meanwhile. */
  begin(epoch: NewEpoch, told?: readonly ExternalHead[]): Promise<DeclaredEpoch>;
}

/** Most leaves that stand in for lost ones: a gap beyond is declared all the same, and outgrown by and by. */
const MAX_STAND_INS = 65_536;
const STAND_INS_AT_ONCE = 256;

export interface FreshnessDeps {
  readonly log: OpenLog;
  readonly epochs: Epochs;
  readonly disk: Disk;
  /** The audit-body key. */
  readonly bodyKey: Uint8Array;
  readonly logger: Logger;
  readonly metrics: AuditMetrics;
  readonly now: () => number;
}

/**
 * Holds a log that was just opened against every head that is known.
 * @param told heads beside those of the log's own file
 */
export async function openFreshness(deps: FreshnessDeps, told: readonly WitnessedHead[]): Promise<Freshness> {
  const file = createKnownHeadsFile(deps.disk, deps.bodyKey);
  const known = await file.load();
  const freshness = new LogFreshness({ ...deps, file }, known, await readDeclared(deps, known));
  const restored = await readRestored(deps.disk, deps.bodyKey);
  if (restored !== undefined) {
    const isDone = freshness.declared.some(({ origin }) => origin.endsWith(restored.id));
    if (!isDone) await freshness.begin({ cause: 'restore', ...restored }, told);
    await deps.disk.remove(RESTORED_PATH);
  }
  for (const head of [...known.heads, ...told]) {
    await freshness.witness(head).catch((error: unknown) => {
      // It is barred by that, or the disk is full: then the head is told again, and the log finds out by itself.
      if (
        freshness.conflict === null &&
        !isNectarError(error, 'NODE_DISK_FULL') &&
        !isNectarError(error, 'AUDIT_NOT_WRITABLE')
      )
        throw error;
    });
  }
  return freshness;
}

/** What the log declares of its epochs: read from where the file of known heads ends, else from the first of them on. */
async function readDeclared(
  { epochs, log }: FreshnessDeps,
  { declared: noted }: KnownHeads,
): Promise<readonly DeclaredEpoch[]> {
  const marks = epochs.marks();
  const [first] = marks;
  if (first === undefined) return [];
  const isNoted = noted.upTo <= log.leaves.size() && noted.epochs.every(({ origin }, i) => origin === marks[i]?.origin);
  let declared: readonly DeclaredEpoch[] = isNoted ? noted.epochs : [];
  const from = isNoted ? Math.max(noted.upTo, first.start) : first.start;
  for await (const entry of log.reader.entries(from, log.leaves.size())) declared = foldDeclared(declared, entry);
  return declared;
}

class LogFreshness implements Freshness {
  readonly #deps: FreshnessDeps & { readonly file: KnownHeadsFile };
  #known: KnownHeads;
  #declared: readonly DeclaredEpoch[];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    deps: FreshnessDeps & { readonly file: KnownHeadsFile },
    known: KnownHeads,
    declared: readonly DeclaredEpoch[],
  ) {
    this.#deps = deps;
    this.#known = known;
    this.#declared = declared;
    this.#measure();
  }

  get conflict(): Conflict | null {
    return this.#known.conflict;
  }

  get heads(): readonly ExternalHead[] {
    return this.#known.heads;
  }

  get declared(): readonly DeclaredEpoch[] {
    return this.#declared;
  }

  witness(head: WitnessedHead): Promise<void> {
    return this.#inTurn(() => this.#witness(head));
  }

  async isLost({ at = Number.POSITIVE_INFINITY, ...head }: KnownHead & { readonly at?: number }): Promise<boolean> {
    return (await this.#judge({ ...head, at })).is === 'lost';
  }

  begin(epoch: NewEpoch, told: readonly ExternalHead[] = []): Promise<DeclaredEpoch> {
    return this.#inTurn(() => this.#begin(epoch, told));
  }

  /** One after the other: a judgement, and what follows from it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #witness({ provisional = false, ...head }: WitnessedHead): Promise<void> {
    const judged = await this.#judge(head);
    if (judged.is === 'contradicts') {
      await this.#bar(head, judged.error);
      throw judged.error;
    }
    const { conflict } = this.#known;
    // The head that barred the log, and the log holds it now: somebody put the right one back.
    const settled = conflict !== null && conflict.head.size === head.size && conflict.head.root === head.root;
    await this.#remember(withHead(this.heads, head), settled ? null : conflict);
    if (provisional || this.conflict !== null) return;
    const [epoch, lost] =
      judged.is === 'lost' ? [judged.epoch, head.size - judged.epoch.from] : [this.#declared.at(-1), 0];
    if (epoch !== undefined && (epoch.lost === undefined || lost > epoch.lost)) await this.#complete(epoch, head, lost);
  }

  #judge(head: ExternalHead): ReturnType<typeof judgeHead> {
    const { leaves } = this.#deps.log;
    return judgeHead(head, { size: leaves.size(), rootAt: leaves.rootAt }, this.#declared);
  }

  /** Barred in memory first: a disk that is full keeps no log from being barred. */
  async #bar(head: ExternalHead, error: NectarError<'AUDIT_TRUNCATED'> | NectarError<'AUDIT_FORKED'>): Promise<void> {
    if (this.conflict !== null) return;
    const { log, logger, now } = this.#deps;
    const conflict: Conflict = { code: error.code, head, ...log.treeHead(), at: now() };
    logger.error({ code: error.code, ...error.data }, 'the audit log contradicts a tree head that left this machine');
    await this.#remember(withHead(this.heads, head), conflict).catch((cause: unknown) =>
      logger.error({ err: cause }, 'the conflict could not be kept on disk'),
    );
  }

  async #remember(heads: readonly ExternalHead[], conflict: Conflict | null): Promise<void> {
    const before = this.#known;
    this.#known = { heads, conflict, declared: { upTo: this.#deps.log.leaves.size(), epochs: this.#declared } };
    this.#measure();
    if (heads !== before.heads || conflict !== before.conflict || this.#declared !== before.declared.epochs)
      await this.#deps.file.save(this.#known);
  }

  async #complete(epoch: DeclaredEpoch, head: ExternalHead, lost: number): Promise<void> {
    const { size, root, where } = head;
    const completed = { ...epoch, lost, ...(lost > 0 && { outside: { size, root, where } }) };
    await this.#deps.log.append(gapEvent(completed));
    this.#declared = this.#declared.map((each) => (each.number === epoch.number ? completed : each));
    await this.#standIn(completed);
    await this.#remember(this.heads, this.conflict);
  }

  async #begin({ cause, at, id }: NewEpoch, told: readonly ExternalHead[]): Promise<DeclaredEpoch> {
    const { log, epochs } = this.#deps;
    await log.idle();
    const { size, root } = log.treeHead();
    const previous = { origin: epochs.key().name, root };
    const mark = epochs.next(size, id);
    const heads = told.reduce(withHead, this.heads);
    const { outside, held } = await this.#compare(heads, at);
    const from = cause === 'restore' ? size : Math.min(held, size);
    const epoch: DeclaredEpoch = {
      ...mark,
      ...{ at, cause, from },
      ...(outside !== undefined && { outside, lost: outside.size - from }),
    };
    epochs.begin(mark);
    await log.append(epochEvent(epoch, previous), at).catch((error: unknown) => {
      epochs.undo();
      throw error;
    });
    this.#declared = [...this.#declared, epoch];
    await this.#standIn(epoch);
    await log.checkpoint();
    await this.#remember(heads, null);
    this.#deps.logger.warn({ epoch: mark.number, start: size, lost: epoch.lost ?? null }, `the log begins a new epoch`);
    return epoch;
  }

  /** The largest head that left before `at` and that the log does not hold, and the largest that it does. */
  async #compare(
    heads: readonly ExternalHead[],
    at: number,
  ): Promise<{ outside: DeclaredEpoch['outside'] | undefined; held: number }> {
    let outside: DeclaredEpoch['outside'] | undefined;
    let held = 0;
    for (const head of heads) {
      const { is } = await this.#judge(head);
      if (is === 'held') held = Math.max(held, head.size);
      else if (is === 'contradicts' && head.at <= at && head.size > (outside?.size ?? 0))
        outside = { size: head.size, root: head.root, where: head.where };
    }
    return { outside, held };
  }

  /**
   * An entry in the place of each lost leaf. So no number means two entries, and the log is at once larger than what was anchored
   * of it: the next anchor, which only a larger tree can have (AuditAnchor), comes as soon as ever.
   */
  async #standIn({ number, outside }: DeclaredEpoch): Promise<void> {
    const { log, logger } = this.#deps;
    const missing = (outside?.size ?? 0) - log.leaves.size();
    if (missing > MAX_STAND_INS) {
      logger.warn(
        { missing },
        'more leaves are lost than are stood in for: anchoring waits until the log has outgrown them',
      );
      return;
    }
    const event = { type: LOST_LEAF, outcome: 'failure', context: AUDIT_CONTEXT, detail: { epoch: number } } as const;
    for (let left = missing; left > 0; left -= STAND_INS_AT_ONCE) {
      const some = Array.from({ length: Math.min(left, STAND_INS_AT_ONCE) }, () => log.append(event));
      await Promise.all(some);
    }
  }

  #measure(): void {
    const { conflict, heads } = this.#known;
    const { metrics, epochs } = this.#deps;
    metrics.conflict.set(conflict === null ? 0 : 1);
    metrics.externalSize.set(heads[0]?.size ?? 0);
    metrics.epoch.set(epochs.marks().at(-1)?.number ?? 1);
    metrics.lost.set(this.#declared.reduce((sum, { lost = 0 }) => sum + lost, 0));
  }
}

/** What bars the log, as the error that every append then throws. */
export function conflictError({ code, head, size }: Conflict): NectarError {
  return code === 'AUDIT_TRUNCATED'
    ? new NectarError(code, { size, expected: head.size, where: head.where })
    : new NectarError(code, { size: head.size, where: head.where });
}

/** The same in words, its code first. */
export function describeConflict(conflict: Conflict): string {
  return `${conflict.code}: ${conflictError(conflict).message}`;
}

/** Whether a leaf of this type keeps its body for ever: what is declared of the log is shown for ever. */
export function isDeclaration(type: string): boolean {
  return type === EPOCH_LEAF || type === GAP_LEAF;
}
