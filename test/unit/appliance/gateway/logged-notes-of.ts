import { type FoldedNote, foldNote, type LoggedNote, shown } from '../../../../appliance/audit/logged-notes.ts';
import type { GatewayAuditEvent } from '../../../../appliance/gateway/audit-event.ts';

/** What a log of these leaves has on record of reports and backups. */
export function loggedNotesOf(
  { events, fail }: { readonly events: readonly GatewayAuditEvent[]; readonly fail: Error | undefined },
  now: number,
): readonly LoggedNote[] {
  if (fail !== undefined) throw fail;
  let notes: ReadonlyMap<string, FoldedNote> = new Map();
  for (const [index, { type, outcome, detail = {} }] of events.entries())
    notes = foldNote(notes, { type, outcome, detail }, { index, now });
  return [...notes.values()].map(shown);
}
