import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { NectarError } from '../../protocol/errors.ts';
import { makeFolder, replaceFile } from '../durable-file.ts';

const MAX_FILE_BYTES = 32 * 1024 * 1024;
const MODE = 0o600;
const COMMITMENT_BYTES = 32;

const root = Type.String({ pattern: '^[0-9a-f]{64}$' });
const sentAt = Type.Optional(
  Type.Number({ description: 'Milliseconds since the epoch of the last send; absent before it.' }),
);

const note = Type.String({ maxLength: 65_536 });
const at = Type.Integer({ minimum: 0, description: 'Milliseconds since the epoch.' });
/** Kept of those that are on the chain. */
export const MAX_ANCHORED = 4;

const progressSchema = Type.Object(
  {
    version: Type.Literal(1),
    /** The batch under way. Its items are marked in the store only when the root is on L1. */
    records: Type.Optional(
      Type.Object(
        {
          root,
          items: Type.Array(
            Type.Object(
              { recordId: Type.String({ pattern: '^[0-9a-f]{32}$' }), version: Type.Integer({ minimum: 1 }) },
              { additionalProperties: false },
            ),
            { minItems: 1, maxItems: 65_536 },
          ),
          sentAt,
        },
        { additionalProperties: false },
      ),
    ),
    /** The checkpoint under way. */
    audit: Type.Optional(
      Type.Object(
        { size: Type.Integer({ minimum: 1 }), root, sentAt, note: Type.Optional(note) },
        { additionalProperties: false },
      ),
    ),
    /**
     * The newest checkpoints that the chain has, as the log signed them: kept here, outside of the log's own folder, so that one that
     * is put back to an older copy is found out at its start, whether or not the chain answers.
     */
    anchored: Type.Optional(
      Type.Array(Type.Object({ note, where: Type.String({ maxLength: 256 }), at }, { additionalProperties: false }), {
        maxItems: MAX_ANCHORED,
      }),
    ),
    /** Of a version that counted here what the store counts now: read, and not written any more. */
    safeRecords: Type.Optional(Type.Integer({ minimum: 0 })),
    /** The L2 block of the newest record root that is safe. */
    safeRecordBlock: Type.Optional(Type.String({ pattern: '^[0-9]{1,20}$' })),
  },
  { additionalProperties: false },
);

/** What is under way, so that a crash between send and receipt neither loses an anchor nor makes a second one. */
export type Progress = Static<typeof progressSchema>;

/** Loads the folder's progress; a folder without any starts anew. Throws ANCHOR_PENDING_CORRUPT. */
export async function loadProgress(folder: string): Promise<Progress> {
  const path = progressPath(folder);
  let text: string;
  try {
    if ((await stat(path)).size > MAX_FILE_BYTES) throw new NectarError('ANCHOR_PENDING_CORRUPT', { path });
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { version: 1 };
    throw error;
  }
  const parsed = parseJson(text);
  if (!Check(progressSchema, parsed)) throw new NectarError('ANCHOR_PENDING_CORRUPT', { path });
  return parsed;
}

/** Heads of the audit log that the chain has, as the folder keeps them: the log believes them by their signatures. */
export async function readAnchoredHeads(folder: string): Promise<NonNullable<Progress['anchored']>> {
  return (await loadProgress(folder).catch(() => undefined))?.anchored ?? [];
}

export async function saveProgress(folder: string, progress: Progress): Promise<void> {
  await makeFolder(folder);
  await replaceFile(progressPath(folder), `${JSON.stringify(progress)}\n`, MODE);
}

/**
 * Keeps the leaves of a batch (commitments of 32 bytes each, sorted): without them nobody could prove that a record lies
 * under an anchored root. Salted hashes: they tell nothing about a record, not even after its salt is destroyed.
 */
export async function saveLeaves(folder: string, root: string, leaves: readonly Uint8Array[]): Promise<void> {
  await makeFolder(join(folder, 'batches'));
  await replaceFile(leavesPath(folder, root), Buffer.concat(leaves), MODE);
}

/** The `count` leaves of a batch as they were kept; undefined when they are not there, or not that many. */
export async function loadLeaves(folder: string, root: string, count: number): Promise<Uint8Array[] | undefined> {
  const path = leavesPath(folder, root);
  const bytes = count * COMMITMENT_BYTES;
  try {
    if ((await stat(path)).size !== bytes) return undefined;
    const kept = await readFile(path);
    if (kept.length !== bytes) return undefined;
    return Array.from({ length: count }, (_, i) => kept.subarray(i * COMMITMENT_BYTES, (i + 1) * COMMITMENT_BYTES));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function leavesPath(folder: string, root: string): string {
  return join(folder, 'batches', `${root}.leaves`);
}

function progressPath(folder: string): string {
  return join(folder, 'progress.json');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
