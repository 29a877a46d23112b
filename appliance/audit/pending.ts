import type { AppendThread, CrossingEvent } from './append-thread.ts';
import type { AuditInput } from './audit-input.ts';
import type { BodySealer } from './body-seal.ts';
import type { Epochs } from './epochs.ts';
import { type PrepareDeps, type PreparedEntry, prepareEntry } from './event.ts';
import { type MadeGroup, makeGroup } from './make-group.ts';

/** An event that waits for its group: written down already, or to be written down by the thread. */
export type PendingEntry = PreparedEntry | (CrossingEvent & { readonly event: AuditInput });

/** Writes down events, and makes groups of them, in the thread where many come at a time. */
export interface EntryMaker {
  /** Throws AUDIT_EVENT_INVALID when it is nothing that can be recorded. @param time of the leaf, in milliseconds */
  accept(event: AuditInput, time: number): PendingEntry;
  /** @param first the index of the first */
  make(first: number, entries: readonly PendingEntry[]): MadeGroup | Promise<MadeGroup>;
}

export interface EntryMakerDeps {
  readonly epochs: Pick<Epochs, 'sealedAs'>;
  readonly sealer: BodySealer;
  readonly thread: AppendThread;
  readonly prepare: Omit<PrepareDeps, 'time'>;
}

export function createEntryMaker({ epochs, sealer, thread, prepare }: EntryMakerDeps): EntryMaker {
  const prepared = (entry: PendingEntry): PreparedEntry =>
    'json' in entry ? prepareEntry(entry.event, { ...prepare, time: entry.time }) : entry;
  const makeHere = (first: number, entries: readonly PendingEntry[]): MadeGroup =>
    makeGroup(first, entries.map(prepared), sealer);

  return {
    accept(event, time) {
      const crossing = thread.cross(event, time);
      return crossing === undefined ? prepareEntry(event, { ...prepare, time }) : { ...crossing, event };
    },
    make(first, entries) {
      thread.saw(entries.length);
      const events = entries.filter((entry) => 'json' in entry);
      // No epoch begins among them, so all have the name of the first.
      const sealedAs = epochs.sealedAs({ index: first, beginsEpoch: false });
      const made = events.length === entries.length ? thread.make({ first, sealedAs, events }) : undefined;
      return made === undefined ? makeHere(first, entries) : made.then((group) => group ?? makeHere(first, entries));
    },
  };
}
