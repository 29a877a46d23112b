import type { NectarError } from '../../protocol/errors.ts';
import type { StoreAudit, StoreAuditEvent } from './needs.ts';

/** Leaves that a start reads again in a moment. */
const KEEP_EVERY_LEAVES = 2_048;

/** How far the log and the index agree; kept in the index with every commit. */
export interface TrailMarks {
  /** Leaves up to this one need no look at the next start: what they tell of is in the index, or came to nothing. */
  readonly settled: number;
  /** The last leaf that this store appended, and its hash, empty when it is not known: an index is only as old as the log that has it. */
  readonly auditLeaf: number;
  readonly leafHash: string;
}

export interface BegunLeaf {
  readonly index: number;
  /** The index commit that the leaf tells of is durable, or will never be. */
  settle(): void;
}

/**
 * What the store appends to the log. Every leaf states the index generation that was durable by then, so that the log says
 * how old an index may be; and the store keeps how far the log goes, so that the index says how short a log may be.
 */
export interface Trail extends StoreAudit {
  /** Appends a leaf whose commit is still to come. */
  begin(event: StoreAuditEvent): Promise<BegunLeaf>;
  marks(): TrailMarks;
  /** All leaves below `size` are settled. */
  settleAll(size: number): void;
  /** The log is another one from now on, of this size. */
  restart(size: number): void;
  /** The newest generation that a leaf states. */
  stated(): number;
}

export interface TrailOptions {
  readonly audit: StoreAudit;
  readonly marks: TrailMarks;
  /** Of the last commit that is durable. */
  readonly generation: () => number;
  /** A leaf came out below one that was there before: the log is another one. */
  /** So many leaves have come since the marks were last kept that a start would notice. */
  readonly onDue: () => void;
  readonly onReplaced: (leaf: number, expected: number) => NectarError;
}

export function createTrail(options: TrailOptions): Trail {
  const { audit } = options;
  let { auditLeaf, leafHash } = options.marks;
  let stated = -1;
  let sinceKept = 0;
  let last = Math.max(options.marks.settled, auditLeaf);
  /** Of each leaf whose commit is to come, an index that is not above its own; in the order of their beginning. */
  const open = new Set<{ readonly from: number }>();

  async function append(event: StoreAuditEvent): Promise<{ index: number; leafHash?: string }> {
    const before = last;
    const generation = options.generation();
    const appended = await audit.append(stating(event, generation));
    const { index } = appended;
    if (index <= before) throw options.onReplaced(index, before + 1);
    last = Math.max(last, index);
    stated = Math.max(stated, generation);
    if (index > auditLeaf && event.type.startsWith('record.')) [auditLeaf, leafHash] = [index, appended.leafHash ?? ''];
    sinceKept += 1;
    if (sinceKept % KEEP_EVERY_LEAVES === 0) options.onDue();
    return appended;
  }

  return {
    append,
    async begin(event) {
      // Registered before the leaf is: answers may come back in another order than the leaves have.
      const entry = { from: last + 1 };
      open.add(entry);
      const settle = (): void => void open.delete(entry);
      try {
        return { index: (await append(event)).index, settle };
      } catch (error) {
        settle();
        throw error;
      }
    },
    marks() {
      const [first] = open;
      sinceKept = 0;
      return {
        settled: first === undefined ? last : first.from - 1,
        auditLeaf,
        leafHash,
      };
    },
    settleAll(size) {
      last = Math.max(last, size - 1);
    },
    restart(size) {
      [last, auditLeaf, leafHash] = [size - 1, -1, ''];
    },
    stated: () => stated,
  };
}

/** BALP's query has one field for all its parameters: nothing of ours goes there. A leaf of the keys states the generation of theirs. */
function stating(event: StoreAuditEvent, indexGeneration: number): StoreAuditEvent {
  return event.type === 'record.query' || event.type === 'key.rekey'
    ? event
    : { ...event, detail: { ...event.detail, indexGeneration } };
}

/** Whether a log of this size can be the one that the marks were made with. */
export function isLogShort(marks: TrailMarks, size: number): boolean {
  return marks.auditLeaf >= size || marks.settled >= size;
}
