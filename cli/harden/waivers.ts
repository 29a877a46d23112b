import {
  type LoggedWaiver,
  LoggedWaivers,
  OnRecord,
  type WaiverNote,
} from '../../appliance/gateway/hardening-schemas.ts';
import type { Waiver } from '../../hardening/finding.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import type { Client } from '../client.ts';
import { findGateway, openNodeClient } from '../node-client.ts';

const MAX_OWNER_CHARS = 128;
const MAX_REASON_CHARS = 1024;
const PATH = '/v1/hardening/waivers';

/** What is waived; or why nobody can say, and then nothing is. */
export type KnownWaivers = { readonly waivers: readonly Waiver[] } | { readonly reason: string };

/** Asks the running node: its audit log says what is waived, and no file does. */
export async function askWaivers({
  home,
  signal,
}: {
  readonly home: string;
  readonly signal: AbortSignal;
}): Promise<KnownWaivers> {
  if ((await findGateway(home)) === undefined) return { reason: 'the node does not run' };
  try {
    const client = await openNodeClient({ home, signal });
    try {
      return { waivers: (await listWaivers(client)).map(toWaiver) };
    } finally {
      await client.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NectarError && !isNectarError(error, 'CLI_INTERNAL')) return { reason: error.message };
    throw error;
  }
}

/** A real day, and texts within the bounds: the node decides the rest. @throws NectarError HARDENING_WAIVER_INVALID */
export function parseWaiver(given: Omit<WaiverNote, 'change'>): Omit<WaiverNote, 'change'> {
  const { check, until } = given;
  const [owner, reason] = [given.owner.trim(), given.reason.trim()];
  const refuse = (problem: string): never => {
    throw new NectarError('HARDENING_WAIVER_INVALID', { problem });
  };
  if (owner === '' || owner.length > MAX_OWNER_CHARS) refuse(`an owner has 1 to ${MAX_OWNER_CHARS} characters`);
  if (reason === '' || reason.length > MAX_REASON_CHARS) refuse(`a reason has 1 to ${MAX_REASON_CHARS} characters`);
  const day = /^\d{4}-\d\d-\d\d$/.test(until) ? Date.parse(`${until}T00:00:00Z`) : Number.NaN;
  // JavaScript reads 2027-02-31 as a day of March in some forms: the day must be written back as it was given.
  if (Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== until) {
    refuse(`${until} is no day: YYYY-MM-DD`);
  }
  return { check, owner, reason, until };
}

export async function listWaivers(client: Pick<Client, 'json'>): Promise<readonly LoggedWaiver[]> {
  return (await client.json(LoggedWaivers, 'GET', PATH)).waivers;
}

/** Resolves to the leaf that says so. */
export async function recordWaiver(client: Pick<Client, 'json'>, note: WaiverNote): Promise<number> {
  return (await client.json(OnRecord, 'POST', PATH, note)).auditLeaf;
}

function toWaiver({ check, owner, reason, until, since, auditLeaf }: LoggedWaiver): Waiver {
  return { check, owner, reason, until, since, auditLeaf };
}
