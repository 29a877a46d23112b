import type { GatewayAudit, LoggedNote } from './audit-needs.ts';
import type { Floors } from './revocation-files.ts';

/**
 * The floors of revocation lists in the audit log: each leaf of a change has all of them. Lists and floors that are put back together
 * agree with each other; the log knows the newer numbers.
 */
export interface FloorsLog {
  /** Undefined where no leaf states any. Throws while the log cannot be asked. */
  logged(): Promise<Floors | undefined>;
  /** Puts on record what came by a file, not by a call. */
  record(floors: Floors): Promise<void>;
  /** Puts on record that the files were older than the log. */
  restored(): Promise<void>;
}

const CONTEXT = { actor: { subject: 'system:gateway' }, requestId: 'client-revocations' };

export function createFloorsLog(audit: Pick<GatewayAudit, 'append' | 'loggedNotes'>): FloorsLog {
  return {
    logged: async () => floorsOf(await audit.loggedNotes()),
    async record(floors) {
      const detail = { count: Object.keys(floors).length, floors: floorsText(floors) };
      await audit.append({ type: 'client.revocations', outcome: 'success', context: CONTEXT, detail });
    },
    async restored() {
      const detail = { notes: 'revocation lists', found: 'another' };
      await audit.append({ type: 'notes.restore', outcome: 'success', context: CONTEXT, detail });
    },
  };
}

/** `key:number:digest`, separated by spaces, in the order of the keys. */
export function floorsText(floors: Floors): string {
  return Object.entries(floors)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, { number, digest }]) => `${key}:${number}:${digest}`)
    .join(' ');
}

const FLOOR = /^([0-9a-f]{64}):(\d{1,48}):([0-9a-f]{64})$/;

function floorsOf(notes: readonly LoggedNote[]): Floors | undefined {
  const text = notes.findLast(({ type }) => type === 'client.revocations')?.detail.floors;
  if (text === undefined) return undefined;
  const parts = text.split(' ').flatMap((part) => {
    const [, key = '', number = '', digest = ''] = FLOOR.exec(part) ?? [];
    return key === '' ? [] : [[key, { number, digest }] as const];
  });
  return Object.fromEntries(parts);
}

/** Of each authority the higher number; of one number the list that the log names. */
export function higherOf(floors: Floors, logged: Floors): Floors {
  const wins = ([key, { number }]: [string, Floors[string]]): boolean =>
    floors[key] === undefined || BigInt(floors[key].number) <= BigInt(number);
  return { ...floors, ...Object.fromEntries(Object.entries(logged).filter(wins)) };
}
