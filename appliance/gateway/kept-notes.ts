import { isDeepStrictEqual } from 'node:util';
import { isNectarError } from '../../protocol/errors.ts';
import type { Logger } from '../telemetry/index.ts';
import type { GatewayAudit, LoggedNote } from './audit-needs.ts';
import type { KeptText } from './kept-text.ts';

export const MAX_NOTES_BYTES = 1024 * 1024;
/** Of a change that others' changes come before. */
const MAX_TRIES = 16;
/** One run may be missed: the machine was off that night. */
const OVERDUE_AFTER_INTERVALS = 2;
/** How soon a log that did not answer is asked again. */
const RETRY_MS = 250;

/** A small text of what the node was told and must remember: the evidence itself is in the audit log. */
export interface KeptNotes<T> {
  /** As the log has it, once it can be asked; before that (the node is locked, or starts) as the text was found. */
  current(): Promise<T>;
  /** The same, of the last time that somebody asked. */
  last(): T;
  /** Durable when it resolves. `next` is asked again when another gateway's change came first. */
  change(next: (current: T) => T): Promise<void>;
}

export interface KeptNotesOf<T> {
  readonly text: KeptText;
  readonly isShape: (value: unknown) => value is T;
  readonly empty: T;
  /** For the log line and the leaf: 'backups'. */
  readonly of: string;
  /** What the leaves amount to. */
  readonly fold: (notes: readonly LoggedNote[]) => T;
  /** Called with what is there, and whenever that changes. */
  readonly onKept?: (kept: T) => void;
}

export interface KeptNotesDeps {
  readonly audit: Pick<GatewayAudit, 'append' | 'loggedNotes'>;
  readonly log: Logger;
  readonly now: () => number;
}

/** What is wrong with the text, in one word. */
type Found = 'missing' | 'damaged' | 'another';

/**
 * Reads what an earlier run of the node left, or another gateway of it. No key protects the text: whoever puts an older one in place, or
 * writes another score into it, would end an alarm. So it is held against the log before anybody is told of it, and made whole from there;
 * that it was another is on record.
 */
export async function openKeptNotes<T>(of: KeptNotesOf<T>, deps: KeptNotesDeps): Promise<KeptNotes<T>> {
  const { text, onKept = () => undefined } = of;
  let kept = of.empty;
  let version = '';
  let turn: Promise<unknown> = Promise.resolve();
  let state: Found | undefined;
  let isHeld = false;
  let holding: Promise<void> | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;

  const use = (next: T): void => {
    kept = next;
    onKept(kept);
  };
  const read = async (): Promise<void> => {
    const found = await text.read().catch((error: unknown) => {
      if (text.shared) throw error;
      return { text: undefined, version: '', error };
    });
    version = found.version;
    isHeld = false;
    state = found.text === undefined ? 'missing' : undefined;
    try {
      if ('error' in found) throw found.error;
      use(found.text === undefined ? of.empty : parse(found.text, of.isShape));
    } catch (error) {
      state = 'damaged';
      deps.log.warn({ err: error, of: of.of }, 'kept notes are damaged');
      use(of.empty);
    }
  };
  const write = async (wanted: T): Promise<void> => {
    version = await text.write(`${JSON.stringify(wanted, undefined, 2)}\n`, version);
    use(wanted);
  };
  const apply = async (next: (current: T) => T): Promise<void> => {
    for (let tried = 1; ; tried += 1) {
      if (text.shared) await read();
      try {
        await write(next(isHeld ? kept : await logged()));
        isHeld = true;
        return;
      } catch (error) {
        if (!isNectarError(error, 'NODE_SHELF_CHANGED') || tried >= MAX_TRIES) throw error;
      }
    }
  };
  const logged = async (): Promise<T> => of.fold(await deps.audit.loggedNotes());
  /** Throws while the log cannot be asked. */
  const hold = async (): Promise<void> => {
    const wanted = await logged();
    const found = state ?? 'another';
    if (!isSame(kept, wanted)) {
      deps.log.warn({ of: of.of, found }, 'kept notes are not what the log says: they are made whole from it');
      await write(wanted).catch((error: unknown) => {
        // What is told is right all the same; a full disk keeps the text as it is.
        if (text.shared) throw error;
        use(wanted);
      });
      // Between the leaf of another gateway and its note, a shared text is another for a moment.
      if (!text.shared) await record(found);
    }
    isHeld = true;
  };
  const record = async (found: Found): Promise<void> => {
    const context = { actor: { subject: 'system:gateway' }, requestId: `notes/${of.of}` };
    await deps.audit.append({ type: 'notes.restore', outcome: 'success', context, detail: { notes: of.of, found } });
  };
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  const ensure = async (): Promise<void> => {
    if (isHeld || (holding === undefined && Math.abs(deps.now() - triedAt) < RETRY_MS)) return;
    triedAt = deps.now();
    holding ??= inTurn(async () => {
      if (!isHeld) await hold();
    })
      .catch((error: unknown) =>
        deps.log.debug({ err: error, of: of.of }, 'kept notes are not held against the log yet'),
      )
      .finally(() => {
        holding = undefined;
      });
    await holding;
  };

  if (text.shared) text.onChange(() => inTurn(read));
  else await read();
  return {
    async current() {
      await ensure();
      return kept;
    },
    last: () => kept,
    change: (next) => inTurn(() => apply(next)),
  };
}

/** Whether what was to happen at intervals has not happened for too long. */
export function isOverdue(
  plan: { readonly everySeconds: number | null; readonly since: string; readonly lastAt: string | null },
  now: number,
): boolean {
  if (plan.everySeconds === null) return false;
  const begun = Math.max(Date.parse(plan.since), Date.parse(plan.lastAt ?? plan.since));
  return now - begun > OVERDUE_AFTER_INTERVALS * plan.everySeconds * 1000;
}

/** The moment of a leaf, as the gateway writes one. */
export function instantOf({ time }: Pick<LoggedNote, 'time'>): string {
  return new Date(time).toISOString();
}

export function everySecondsOf({ detail }: Pick<LoggedNote, 'detail'>): number | null {
  return detail.everySeconds === undefined || detail.everySeconds === 'off' ? null : Number(detail.everySeconds);
}

/**
 * A leaf is some milliseconds older than what was noted because of it, or some seconds on a busy machine. An instant that is further away
 * was put there: one of a time to come would end an alarm for ever.
 */
function isSame(one: unknown, other: unknown): boolean {
  const [first, second] = [one, other].map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  return isDeepStrictEqual(first, withInstantsOf(first, second));
}

/** `logged`, with the instants of `noted` that may be of the same moment. */
function withInstantsOf(noted: unknown, logged: unknown): unknown {
  if (typeof noted !== 'object' || typeof logged !== 'object' || noted === null || logged === null) return logged;
  const inner = (name: string, value: unknown): unknown => {
    const mine = (noted as Record<string, unknown>)[name];
    return INSTANTS.has(name) && isNear(mine, value) ? mine : withInstantsOf(mine, value);
  };
  if (Array.isArray(logged)) return logged.map((value, at) => inner(String(at), value));
  return Object.fromEntries(Object.entries(logged).map(([name, value]) => [name, inner(name, value)]));
}
const INSTANTS: ReadonlySet<string> = new Set(['at', 'lastAt', 'since']);
const NEAR_MS = 60_000;

/** False where one of them is no instant. */
function isNear(one: unknown, other: unknown): boolean {
  return Math.abs(Date.parse(String(one)) - Date.parse(String(other))) <= NEAR_MS;
}

function parse<T>(text: string, isShape: (value: unknown) => value is T): T {
  const value: unknown = JSON.parse(text);
  if (!isShape(value)) throw new RangeError('another shape');
  return value;
}
