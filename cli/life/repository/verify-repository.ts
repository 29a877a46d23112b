import { join } from 'node:path';
import { verifyAuditFolder } from '../../../appliance/audit/index.ts';
import { readPublicIdentity } from '../../../appliance/config/index.ts';
import type { Keys } from '../../../appliance/keys/index.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import { parseVerifierKey } from '../../../protocol/merkle/verifier-key.ts';
import { withScratch } from '../../provision/staging-folder.ts';
import type { BackupAuthority } from '../backup-authority.ts';
import { checkObjects } from './check-objects.ts';
import { knownFloor } from './known-floor.ts';
import type { KnownRepository } from './known-repositories.ts';
import {
  type FoundSnapshot,
  findRepository,
  listGenerations,
  readFiles,
  readManifest,
  readSnapshot,
} from './open-repository.ts';
import { readSamples } from './read-samples.ts';
import { unpackSnapshot } from './restore-snapshot.ts';
import type { Target } from './target.ts';

export interface VerifyRepository {
  readonly home: string;
  readonly known: KnownRepository;
  readonly target: Target;
  readonly authority: BackupAuthority;
  /** Opens the keys of the restored folder; undefined: they are not at hand, and nothing is opened. */
  readonly unlock: ((folder: string) => Promise<Keys>) | undefined;
  /** Below this folder one is made, and removed again. */
  readonly scratch: string;
  /** Fetch every block, as a real restore does; else only those of the records that are read. */
  readonly whole: boolean;
  readonly sample: number;
  readonly signal: AbortSignal;
  onBytes(bytes: number): void;
}

export interface VerifiedRepository {
  readonly repository: string;
  readonly generation: number;
  readonly createdAt: string;
  /** Whether it was restored, and records read. */
  readonly opened: boolean;
  readonly whole: boolean;
  readonly objects: number;
  readonly records: number;
  readonly entries: number;
  readonly leaves: number;
  /** Restored, or read where nothing was opened. */
  readonly bytes: number;
  readonly milliseconds: number;
  readonly faults: readonly string[];
}

/**
 * Restores the newest snapshot to a folder that is thrown away, by the way that a real restore takes, and reads from it: what was never
 * restored is no backup. The live home is not touched. Faults are told, not thrown; what keeps it from being done at all is thrown.
 */
export async function verifyRepository(request: VerifyRepository): Promise<VerifiedRepository> {
  const begun = performance.now();
  const newest = await findNewest(request);
  const of = { repository: newest.repository, generation: newest.generation, createdAt: newest.createdAt };
  const objects = await checkAll(request, newest);
  const opened = request.unlock !== undefined;
  const { unlock, ...rest } = request;
  const { generation } = newest;
  const restored = unlock === undefined ? undefined : await restoreAndRead({ ...rest, unlock, generation });
  return {
    ...of,
    ...{ opened, whole: opened && request.whole, objects: objects.objects },
    ...{ records: restored?.records ?? 0, entries: restored?.entries ?? 0, leaves: restored?.leaves ?? 0 },
    bytes: restored?.bytes ?? objects.bytes,
    milliseconds: Math.round(performance.now() - begun),
    faults: [...new Set([...objects.faults, ...(restored?.faults ?? [])])],
  };
}

/** Signed, and not older than this home knows the repository. */
async function findNewest({ home, target, known, authority }: VerifyRepository): Promise<FoundSnapshot> {
  const header = await findRepository(target);
  const { checkpointVkey } = readPublicIdentity(home);
  const newest = (await listGenerations(target)).at(-1);
  if (header === undefined || newest === undefined)
    throw new NectarError('BACKUP_FORMAT_INVALID', { problem: `${target.url} holds no snapshot` });
  const floor = await knownFloor(header.repository, { known, authority });
  if (newest < floor)
    throw new NectarError('BACKUP_REPOSITORY_BEHIND', { target: target.url, found: newest, known: floor });
  const found = await readSnapshot(target, newest, { header, key: parseVerifierKey(checkpointVkey) });
  if (newest === known.generation && found.noteSha256 !== known.noteSha256)
    throw new NectarError('BACKUP_REPOSITORY_FORKED', { target: target.url, generation: newest });
  return found;
}

async function checkAll(
  { target, authority, sample, signal }: VerifyRepository,
  newest: FoundSnapshot,
): Promise<Awaited<ReturnType<typeof checkObjects>>> {
  const { repository } = newest;
  const secret = { repository, key: await authority.repositoryKey(repository) };
  try {
    const manifest = await readManifest(target, newest, secret);
    const files = await readFiles(target, manifest, secret);
    return await checkObjects({ target, newest, manifest, files, sample, signal });
  } catch (error) {
    if (!isNectarError(error, 'BACKUP_ALTERED') && !isNectarError(error, 'BACKUP_OBJECT_MISSING')) throw error;
    return { objects: 0, bytes: 0, faults: [error.message] };
  } finally {
    secret.key.fill(0);
  }
}

export interface RestoreAndRead {
  readonly target: Target;
  readonly unlock: (folder: string) => Promise<Keys>;
  readonly scratch: string;
  /** Undefined: the newest. */
  readonly generation: number | undefined;
  readonly whole: boolean;
  readonly sample: number;
  readonly signal: AbortSignal;
  onBytes(bytes: number): void;
}

export interface RestoredAndRead {
  /** Undefined when it could not be restored at all. */
  readonly snapshot: FoundSnapshot | undefined;
  readonly records: number;
  readonly entries: number;
  readonly leaves: number;
  readonly bytes: number;
  readonly faults: readonly string[];
}

/** Restores to a folder below `scratch`, verifies the log, reads records, and throws the folder away. */
export function restoreAndRead(request: RestoreAndRead): Promise<RestoredAndRead> {
  return withScratch(join(request.scratch, '.nectar-verify'), (home) => restoreInto(request, home));
}

async function restoreInto(request: RestoreAndRead, home: string): Promise<RestoredAndRead> {
  const { target, signal, unlock, whole, sample: count, generation } = request;
  let keys: Keys | undefined;
  let bytes = 0;
  try {
    const { snapshot, newest } = await unpackSnapshot(
      {
        ...{ target, home, check: true, keyFile: undefined, generation, blocks: whole },
        ...{ signal, unlock, now: Date.now },
        onBytes: (more) => {
          bytes += more;
          request.onBytes(more);
        },
      },
      home,
      (opened) => {
        keys = opened;
        return opened;
      },
    );
    if (keys === undefined) throw new RangeError('no keys');
    const log = await readLog(home, keys, newest);
    const read = await readSamples({ home, keys, target, count, signal });
    const faults = [...log.faults, ...read.faults];
    return { ...read, snapshot, leaves: log.leaves, bytes: whole ? bytes : bytes + read.bytes, faults };
  } catch (error) {
    signal.throwIfAborted();
    // A place that does not answer says nothing of what lies there.
    const unreachable = isNectarError(error, 'BACKUP_TARGET_REFUSED');
    if (!isNectarError(error) || unreachable || !/^(BACKUP|STORE|AUDIT)_/.test(error.code)) throw error;
    return { snapshot: undefined, records: 0, entries: 0, leaves: 0, bytes, faults: [error.message] };
  } finally {
    await keys?.stop();
  }
}

/** The log as it was restored, before anything is appended to it. */
async function readLog(
  home: string,
  keys: Keys,
  newest: FoundSnapshot,
): Promise<{ readonly leaves: number; readonly faults: readonly string[] }> {
  const { checkpointVkey: vkey } = readPublicIdentity(home);
  const bodyKey = keys.derive('audit-body');
  try {
    const { integrity, size, findings } = await verifyAuditFolder({ folder: join(home, 'audit'), vkey, bodyKey });
    const faults: string[] = [];
    if (integrity !== 'ok') faults.push(`the restored audit log is ${integrity}: ${findings[0]?.code ?? 'altered'}`);
    if (size < newest.leaves)
      faults.push(`the restored audit log has ${size} leaves, and ${newest.leaves} were signed`);
    return { leaves: size, faults };
  } finally {
    bodyKey.fill(0);
  }
}
