import { NectarError } from '../protocol/errors.ts';
import type { Client } from './client.ts';

/** As of `audit query --record`: less would often stand for several. */
const MIN_DIGITS = 6;
const ID_DIGITS = 32;
/** What `ls` shows on a terminal: among a million records two begin alike once in 500 nodes. */
const SHORT_DIGITS = 12;
/** As many as the node gives at a time. */
const PAGE_RECORDS = 1_000;
/** Of those that begin alike, so many are named. */
const NAMED = 5;

/** A record id as typed or pasted, whole or its beginning: lower-case hex digits. @throws NectarError CLI_USAGE */
export function parseRecordId(text: string): string {
  const digits = text.toLowerCase();
  if (new RegExp(`^[0-9a-f]{${MIN_DIGITS},${ID_DIGITS}}$`).test(digits)) return digits;
  throw new NectarError('CLI_USAGE', {
    problem: `${text.slice(0, 80)} is not a record id (its ${ID_DIGITS} hex digits, or the first ${MIN_DIGITS} or more; see \`nectar-byon ls\`)`,
  });
}

/**
 * The whole id of a record. The node keeps no list of ids that it could look up a beginning in: what is short costs a walk through
 * the list of records.
 *
 * @throws NectarError CLI_USAGE, CLI_RECORD_UNKNOWN, CLI_RECORD_AMBIGUOUS
 */
export async function findRecord(client: Client, text: string): Promise<string> {
  const digits = parseRecordId(text);
  if (digits.length === ID_DIGITS) return digits;
  const { RecordPage } = await import('../appliance/gateway/record-schemas.ts');
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ limit: String(PAGE_RECORDS), order: 'newest' });
    if (cursor !== undefined) query.set('cursor', cursor);
    const page = await client.json(RecordPage, 'GET', `/v1/records?${query}`);
    found.push(...page.records.map(({ recordId }) => recordId).filter((id) => id.startsWith(digits)));
    cursor = page.cursor;
  } while (cursor !== undefined && found.length < NAMED);
  const [first, ...more] = found;
  if (first === undefined) throw new NectarError('CLI_RECORD_UNKNOWN', { digits });
  if (more.length > 0) throw new NectarError('CLI_RECORD_AMBIGUOUS', { digits, records: found.slice(0, NAMED) });
  return first;
}

/** The beginning of an id for the eyes; whole where two of those that are shown begin alike. */
export function shortIds(ids: readonly string[]): readonly string[] {
  const short = ids.map((id) => id.slice(0, SHORT_DIGITS));
  return new Set(short).size === new Set(ids).size ? short : ids;
}
