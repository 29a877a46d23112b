import { isNectarError, NectarError } from '../protocol/errors.ts';
import type { Client } from './client.ts';
import type { StoredVersion } from './stored-files.ts';

const presences = async () => (await import('../appliance/gateway/record-presence.ts')).RecordPresences;

/**
 * Those that the node has, of as many as one question may ask for; one that is lost or damaged is none.
 *
 * @param mustBeCurrent a version that another one has followed is not meant
 */
export async function findPresent<T extends StoredVersion>(
  client: Client,
  asked: readonly T[],
  mustBeCurrent: boolean,
): Promise<Set<T>> {
  if (asked.length === 0) return new Set();
  const ids = asked.map(({ recordId }) => recordId);
  const { records } = await client.json(presences, 'POST', '/v1/records/present', { records: ids });
  if (records.length !== asked.length || records.some(({ recordId }, i) => recordId !== ids[i]))
    throw new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: 'other records than were asked for' });
  return new Set(
    asked.filter(
      ({ version }, i) => records[i]?.state === 'present' && (!mustBeCurrent || records[i]?.version === version),
    ),
  );
}

/** The same of one record. */
export async function isPresent(client: Client, { recordId }: StoredVersion): Promise<boolean> {
  try {
    await client.headers('HEAD', `/v1/records/${recordId}`, {});
    return true;
  } catch (error) {
    // An answer to HEAD has no body to say why: with 500 the record is lost or damaged, so it is stored again.
    if (isNectarError(error, 'CLI_GATEWAY_PROBLEM') && [404, 410, 500].includes(error.data.status)) return false;
    throw error;
  }
}
