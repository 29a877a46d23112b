import { NectarError } from '../protocol/errors.ts';

/** A record id as typed or pasted. @throws NectarError CLI_USAGE */
export function parseRecordId(text: string): string {
  if (!/^[0-9a-f]{32}$/.test(text)) {
    throw new NectarError('CLI_USAGE', {
      problem: `${text.slice(0, 80)} is not a record id (32 hex digits; see \`nectar-byon ls\`)`,
    });
  }
  return text;
}
