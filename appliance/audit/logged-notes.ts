import type { LoggedFacts } from './logged-facts.ts';
import { endWaivers, settleWaivers, waiverKey } from './logged-waivers.ts';

/**
 * What a leaf told of hardening reports, waivers, backups, their schedules and revocation lists: the newest of each kind and subject. The gateway remembers
 * some of these in files that no key protects; here is what they must agree with.
 */
export interface LoggedNote {
  /** Of the leaf. */
  readonly index: number;
  readonly type: string;
  readonly time: string;
  readonly outcome: 'success' | 'failure';
  readonly detail: Readonly<Record<string, string>>;
}

/** A note, and the one that holds again when a later leaf says that nothing came of it. */
export interface FoldedNote extends LoggedNote {
  readonly before?: LoggedNote;
}

/** A profile, a repository, or nothing where there is one of a kind; undefined for what nobody remembers. */
type Subject = (detail: LoggedFacts['detail']) => string | number | undefined;

const NOTED: Readonly<Record<string, Subject>> = {
  'hardening.report': ({ profile }) => profile,
  'hardening.schedule': () => '',
  // A backup in one file is in no repository.
  'node.backup': ({ kind, repository }) => (kind === 'snapshot' ? repository : undefined),
  'backup.verify': ({ repository }) => repository,
  'backup.schedule': ({ repository }) => repository,
  // Those of earlier versions do not state the floors.
  'client.revocations': ({ floors }) => (floors === undefined ? undefined : ''),
};
/** One note, whose numbers are never forgotten. */
const LISTS = 'client.revocations';
/** Of these a failure changed nothing. */
const ONLY_SUCCESS: ReadonlySet<string> = new Set(['hardening.waive', 'hardening.unwaive', LISTS]);

/** More than the gateway remembers (16 profiles, 16 repositories with three kinds); the oldest are forgotten. Waivers have their own bound. */
const MAX_NOTES = 128;

/** @param index of the leaf */
export function foldNote(
  notes: ReadonlyMap<string, FoldedNote>,
  facts: LoggedFacts,
  { index, now }: { readonly index: number; readonly now: number },
): ReadonlyMap<string, FoldedNote> {
  const { type, outcome, detail } = facts;
  const key = keyOf(type, detail);
  const isWaiver = waiverKey(type, detail) !== undefined;
  if (key === undefined) return notes;
  const next = new Map(notes);
  const known = next.get(key);
  // A leaf that names another says that what was to follow that one failed.
  if (detail.leaf !== undefined) return String(known?.index) === String(detail.leaf) ? takeBack(next, key) : notes;
  if (outcome !== 'success' && ONLY_SUCCESS.has(type)) return notes;
  next.delete(key);
  const texts = Object.fromEntries(Object.entries(detail).map(([name, value]) => [name, String(value)]));
  next.set(key, {
    index,
    type,
    time: facts.time ?? new Date(now).toISOString(),
    outcome,
    detail: texts,
    ...(known && { before: shown(known) }),
  });
  endWaivers(next, facts);
  if (isWaiver) settleWaivers(next, key);
  else forgetOldest(next);
  return next;
}

function forgetOldest(notes: Map<string, FoldedNote>): void {
  const kept = [...notes].filter(([, { type, detail }]) => waiverKey(type, detail) === undefined && type !== LISTS);
  const [oldest] = kept;
  if (kept.length > MAX_NOTES && oldest !== undefined) notes.delete(oldest[0]);
}

function takeBack(notes: Map<string, FoldedNote>, key: string): ReadonlyMap<string, FoldedNote> {
  const before = notes.get(key)?.before;
  notes.delete(key);
  if (before !== undefined) notes.set(key, before);
  return notes;
}

export function shown({ before: _, ...note }: FoldedNote): LoggedNote {
  return note;
}

/** Those that were kept, oldest first. */
export function notesByKey(kept: readonly FoldedNote[]): ReadonlyMap<string, FoldedNote> {
  return new Map(kept.map((note) => [keyOf(note.type, note.detail) ?? '', note]));
}

function keyOf(type: string, detail: LoggedFacts['detail']): string | undefined {
  const waiver = waiverKey(type, detail);
  if (waiver !== undefined) return waiver;
  const subject = NOTED[type]?.(detail);
  return subject === undefined ? undefined : `${type} ${subject}`;
}
