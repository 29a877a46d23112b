import { NectarError } from '../../protocol/errors.ts';
import { TILE_WIDTH } from '../../protocol/merkle/tile.ts';
import { verifyConsistency } from '../../protocol/merkle/verify.ts';
import type { Logger } from '../telemetry/index.ts';
import type { AuditInput } from './event.ts';
import { eventFacts } from './evidence.ts';
import type { GenerationsFile } from './generations-file.ts';
import { type FoldedGenerations, foldFacts, type LoggedToken, NO_GENERATIONS } from './generations-fold.ts';
import type { Log } from './log.ts';
import type { LoggedFacts } from './logged-facts.ts';
import { type LoggedNote, shown } from './logged-notes.ts';
import type { Reader } from './reader.ts';

/** Leaves between two snapshots: what the next start after a crash reads again at most. */
const SAVE_EVERY_LEAVES = 8_192;

/** The newest generation of each file of the home that the log states; absent for one that no leaf names. */
export interface FileGenerations {
  /** Leaves of the log that this covers. */
  readonly size: number;
  readonly index?: number;
  readonly tokens?: number;
  readonly keys?: number;
}

/**
 * What the log says of the files that say which generation of themselves they are: a fold over all leaves, so that
 * nobody has to read a long log to learn that his file is old. It is kept sealed beside the log, with the tree head that it
 * was taken at; a snapshot that is older, altered or of another log costs the time to read the leaves again, and no more.
 */
export interface Generations {
  /** Catches up with an open log. */
  open(): Promise<void>;
  /** Takes in a leaf that has become durable. */
  take(index: number, event: AuditInput): void;
  latest(): FileGenerations;
  /** The tokens that the log knows of and that have not ended long ago. */
  tokens(): readonly LoggedToken[];
  /** What is on record of hardening reports and backups, oldest first. */
  notes(): readonly LoggedNote[];
  /** The newest leaf that says that bodies were erased, or may say so; -1 for none. */
  erasedAt(): number;
  /** Keeps the fold, when it covers the whole log. Never throws: a later start reads more leaves. */
  save(): Promise<void>;
}

export interface GenerationsDeps {
  readonly file: GenerationsFile;
  readonly leaves: Pick<Log, 'snapshot' | 'consistency' | 'size'>;
  readonly reader: Pick<Reader, 'entries'>;
  readonly log: Logger;
  readonly now: () => number;
}

export function createGenerations(deps: GenerationsDeps): Generations {
  const { file, leaves, now } = deps;
  let folded: FoldedGenerations = NO_GENERATIONS;
  let saved = 0;
  let saving: Promise<void> | undefined;
  /** Leaves whose predecessors have not been taken in yet. */
  const early = new Map<number, LoggedFacts>();

  async function save(): Promise<void> {
    const { size, root } = leaves.snapshot();
    if (size !== folded.size || size === saved) return;
    try {
      await file.write({ folded, root });
      saved = size;
    } catch (error) {
      deps.log.warn({ code: error instanceof NectarError ? error.code : 'unknown' }, 'generations cannot be saved');
    }
  }

  function saveWhenDue(): void {
    if (saving !== undefined || folded.size - saved < SAVE_EVERY_LEAVES) return;
    saving = save().finally(() => {
      saving = undefined;
    });
  }

  return {
    async open() {
      folded = await readSnapshot(deps);
      saved = folded.size;
      folded = await catchUp(folded, deps);
    },
    take(index, event) {
      early.set(index, eventFacts(event));
      for (let facts = early.get(folded.size); facts !== undefined; facts = early.get(folded.size)) {
        early.delete(folded.size);
        folded = foldFacts(folded, facts, now());
      }
      saveWhenDue();
    },
    latest: () => ({ size: folded.size, ...folded.files }),
    tokens: () => [...folded.tokens.values()],
    notes: () => [...folded.notes.values()].map(shown),
    erasedAt: () => folded.erased,
    async save() {
      await saving;
      await save();
    },
  };
}

/** The kept fold, if it is one of this very log. */
async function readSnapshot({ file, leaves, log }: GenerationsDeps): Promise<FoldedGenerations> {
  const kept = await file.read();
  const at = leaves.snapshot();
  if (kept === undefined || kept.folded.size > at.size) return NO_GENERATIONS;
  const { size } = kept.folded;
  try {
    verifyConsistency({ size, root: kept.root }, at, await leaves.consistency(size, at));
    return kept.folded;
  } catch (error) {
    if (!(error instanceof NectarError)) throw error;
    log.warn({ code: error.code, size }, 'the kept generations are of another log: every leaf is read again');
    return NO_GENERATIONS;
  }
}

/** Reads what the snapshot does not cover. A bundle that cannot be read is left out: `audit verify` reports it. */
async function catchUp(
  from: FoldedGenerations,
  { leaves, reader, log, now }: GenerationsDeps,
): Promise<FoldedGenerations> {
  let folded = from;
  const end = leaves.size();
  while (folded.size < end) {
    try {
      for await (const entry of reader.entries(folded.size, end)) folded = foldFacts(folded, eventFacts(entry), now());
    } catch (error) {
      if (!(error instanceof NectarError)) throw error;
      const size = Math.min(end, (Math.floor(folded.size / TILE_WIDTH) + 1) * TILE_WIDTH);
      log.warn({ code: error.code, from: folded.size, to: size }, 'generations cannot be read from damaged leaves');
      folded = { ...folded, size, erased: size - 1 };
    }
  }
  return folded;
}
