import { isNectarError } from '../../protocol/errors.ts';
import type { Logger } from '../telemetry/index.ts';
import type { KeptText } from './kept-text.ts';

export const MAX_NOTES_BYTES = 1024 * 1024;
/** Of a change that others' changes come before. */
const MAX_TRIES = 16;
/** One run may be missed: the machine was off that night. */
const OVERDUE_AFTER_INTERVALS = 2;

/** A small text of what the node was told and must remember: the evidence itself is in the audit log. */
export interface KeptNotes<T> {
  current(): T;
  /** Durable when it resolves. `next` is asked again when another gateway's change came first. */
  change(next: (current: T) => T): Promise<void>;
}

/** Reads what an earlier run of the node left, or another gateway of it. What is damaged is started anew. */
export async function openKeptNotes<T>(
  of: {
    readonly text: KeptText;
    readonly isShape: (value: unknown) => value is T;
    readonly empty: T;
    /** For the log line: 'backups'. */
    readonly of: string;
    /** Called with what is there, and whenever that changes. */
    readonly onKept?: (kept: T) => void;
  },
  log: Logger,
): Promise<KeptNotes<T>> {
  const { text, onKept = () => undefined } = of;
  let kept = of.empty;
  let version = '';
  let turn: Promise<unknown> = Promise.resolve();
  const read = async (): Promise<void> => {
    const found = await text.read().catch((error: unknown) => {
      if (text.shared) throw error;
      return { text: undefined, version: '', error };
    });
    version = found.version;
    try {
      if ('error' in found) throw found.error;
      kept = found.text === undefined ? of.empty : parse(found.text, of.isShape);
    } catch (error) {
      kept = of.empty;
      log.warn({ err: error, of: of.of }, 'kept notes are damaged: starting anew');
    }
    onKept(kept);
  };
  const apply = async (next: (current: T) => T): Promise<void> => {
    for (let tried = 1; ; tried += 1) {
      if (text.shared) await read();
      const wanted = next(kept);
      try {
        version = await text.write(`${JSON.stringify(wanted, undefined, 2)}\n`, version);
        kept = wanted;
        onKept(kept);
        return;
      } catch (error) {
        if (!isNectarError(error, 'NODE_SHELF_CHANGED') || tried >= MAX_TRIES) throw error;
      }
    }
  };
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };

  if (text.shared) text.onChange(() => inTurn(read));
  else await read();
  return { current: () => kept, change: (next) => inTurn(() => apply(next)) };
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

function parse<T>(text: string, isShape: (value: unknown) => value is T): T {
  const value: unknown = JSON.parse(text);
  if (!isShape(value)) throw new RangeError('another shape');
  return value;
}
