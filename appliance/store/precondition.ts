import type { Cid, RecordId } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { findEntry, type StoreCore } from './core.ts';
import type { HeadEntry, VersionEntry } from './entries.ts';
import type { Expected } from './interfaces.ts';

/**
 * Holds what the caller expects against the record's current version (RFC 9110, 13.1.1 and 13.1.2; the tag is the CID).
 * A caller who then changes exactly `head.latest` under the record's lock has compared and set in one step.
 *
 * @throws NectarError STORE_PRECONDITION_FAILED
 */
export async function requireExpected(
  core: StoreCore,
  head: Pick<HeadEntry, 'recordId' | 'latest'>,
  expected: Expected | undefined,
): Promise<void> {
  if (expected === undefined) return;
  const { recordId, latest: version } = head;
  const entry = await findEntry<VersionEntry>(core, core.keys.version(recordId, version));
  if (entry === undefined) throw new NectarError('STORE_INDEX_CORRUPT', { entry: `version ${version} of ${recordId}` });
  if (!isExpected(entry.root, expected)) throw preconditionFailed(recordId, version);
}

export function preconditionFailed(recordId: RecordId, version: number): NectarError {
  return new NectarError('STORE_PRECONDITION_FAILED', { recordId, version });
}

function isExpected(current: Cid, { match, noneMatch }: Expected): boolean {
  const names = (tags: 'any' | readonly string[]): boolean => tags === 'any' || tags.includes(current);
  return (match === undefined || names(match)) && (noneMatch === undefined || !names(noneMatch));
}
