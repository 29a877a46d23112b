import type { RecordId } from '../../protocol/brand.ts';
import { isNectarError } from '../../protocol/errors.ts';
import { getVersion, type StoreCore } from './core.ts';
import type { HeadEntry, VersionEntry } from './entries.ts';
import type { RecordPresence } from './interfaces.ts';
import type { AccessContext } from './needs.ts';
import { invalid } from './put-input.ts';
import { readMany } from './read-many.ts';

/** Ids in one question. */
const MAX_ASKED_RECORDS = 1_000;

/** What keeps a record from being read, for a question that only asks whether it is there. */
const STATES = {
  STORE_RECORD_NOT_FOUND: 'absent',
  STORE_RECORD_SHREDDED: 'destroyed',
  STORE_RECORD_LOST: 'lost',
  STORE_INDEX_CORRUPT: 'damaged',
} as const;

/**
 * Which of these records are there, in the order of their ids: three reads of the index for those that are as they should be. The
 * answer has no name and no label, so one leaf says of the whole question what was asked and how much was found. Audited before it
 * resolves.
 */
export async function findPresent(
  core: StoreCore,
  ids: readonly RecordId[],
  context: AccessContext,
): Promise<RecordPresence[]> {
  if (ids.length === 0 || ids.length > MAX_ASKED_RECORDS) throw invalid('ids', `1 to ${MAX_ASKED_RECORDS}`);
  const latest = await findLatest(core, ids);
  const found: RecordPresence[] = [];
  for (const [i, recordId] of ids.entries()) {
    const version = latest[i];
    found.push(version === undefined ? await lookCloser(core, recordId) : { recordId, state: 'present', version });
  }
  const present = found.filter(({ state }) => state === 'present').length;
  const detail = { results: present, asked: ids.length, filter: 'ids' };
  await core.deps.audit.append({ type: 'record.query', outcome: 'success', context, detail });
  return found;
}

/** Of those whose head and newest version are there; undefined where somebody has to look closer. */
async function findLatest(core: StoreCore, ids: readonly RecordId[]): Promise<(number | undefined)[]> {
  // What an index that is behind lacks is asked for one by one.
  if (core.index.condition.state === 'behind') return [];
  const heads = await readMany<HeadEntry>(
    core,
    ids.map((id) => core.keys.head(id)),
  );
  const versions = await readMany<VersionEntry>(
    core,
    heads.map((head) =>
      head === undefined || head.shredded !== undefined ? undefined : core.keys.version(head.recordId, head.latest),
    ),
  );
  return versions.map((entry) => entry?.version);
}

async function lookCloser(core: StoreCore, recordId: RecordId): Promise<RecordPresence> {
  try {
    const { version } = await getVersion(core, recordId);
    return { recordId, state: 'present', version };
  } catch (error) {
    for (const [code, state] of Object.entries(STATES))
      if (isNectarError(error, code as keyof typeof STATES)) return { recordId, state };
    throw error;
  }
}
