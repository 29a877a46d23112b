import { createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { verifyAuditFolder } from '../../../appliance/audit/index.ts';
import { homePaths, readPublicIdentity } from '../../../appliance/config/index.ts';
import { diskError } from '../../../appliance/durable-file.ts';
import type { Keys } from '../../../appliance/keys/index.ts';
import { makeFolders } from '../../../appliance/make-folders.ts';
import { continuesBodySecret } from '../../../protocol/envelope/body-secret.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { pinAudit } from './pin-audit.ts';

/** A copy of the node's audit log that is newer than a backup of it. */
export interface NewerLog {
  /** As the operator named it. */
  readonly place: string;
  /** Holds checkpoint, bodies, tiles. */
  readonly folder: string;
}

export interface TakenLog {
  readonly place: string;
  readonly leaves: number;
  /** That the backup's own log has not: what they destroyed is destroyed again by the first start. */
  readonly newer: number;
}

/** The log in a folder that is one, or the home of a node; undefined for any other. */
export function findLogFolder(folder: string): string | undefined {
  return [join(folder, 'audit'), folder].find((path) => existsSync(join(path, 'bodies')));
}

const NO_LIST =
  'entries of it do not open: they are damaged, or sealed by a key that came after the backup. For that the log has to lie in its home, with its keys.json';

/**
 * Puts a newer copy of the log in place of the one that a backup brought. It has to be whole, signed by this node's key, and go on
 * from the backup's log leaf by leaf; then the restored index is held against it at the first start, as against any log that is ahead:
 * deletions are made again, and what the backup lacks is named as lost. Where the root key was replaced since, the newest entries are
 * sealed by a key that the backup's list does not have: it is taken from the list beside the log, which the same secret opens.
 *
 * @throws NectarError BACKUP_LOG_REFUSED
 */
export async function takeNewerLog(
  restored: string,
  { keys, unlock }: { readonly keys: Keys; readonly unlock: (folder: string) => Promise<Keys> },
  log: NewerLog,
): Promise<TakenLog> {
  const refuse = (problem: string): never => {
    throw new NectarError('BACKUP_LOG_REFUSED', { place: log.place, problem });
  };
  const own = join(restored, 'audit');
  const vkey = readPublicIdentity(restored).checkpointVkey;
  const secret = keys.derive('audit-body');
  let newer: Uint8Array | undefined;
  const staged = join(restored, 'audit.newer');
  try {
    const before = await verifyAuditFolder({ folder: own, vkey, bodyKey: secret });
    await copyLog(log.folder, staged);
    const anchors = [{ size: before.size, root: before.root, where: 'the backup' }];
    const verify = (bodyKey: Uint8Array) => verifyAuditFolder({ folder: staged, vkey, bodyKey, anchors });
    let found = await verify(secret);
    if (found.findings.some(({ code }) => code === 'AUDIT_BODY_INVALID')) {
      newer = await laterSecret(log.folder, { secret, unlock }).catch((error: unknown) =>
        refuse(
          `entries of it are sealed by a key that came after the backup, or damaged, and the key list beside it does not open: ${(error as Error).message}`,
        ),
      );
      if (newer === undefined) refuse(NO_LIST);
      else found = await verify(newer);
    }
    if (found.integrity !== 'ok') refuse(`it is damaged, or of another node: ${found.findings[0]?.code ?? 'altered'}`);
    if (found.size < before.size) refuse(`it has ${found.size} leaves, and the backup's log ${before.size}`);
    if (found.completeness === 'violated') refuse('it does not go on from the log of the backup');
    await rm(own, { recursive: true, force: true });
    await rename(staged, own);
    if (newer !== undefined) await keys.adoptBodySecret(newer);
    return { place: log.place, leaves: found.size, newer: found.size - before.size };
  } finally {
    for (const bytes of [secret, newer]) bytes?.fill(0);
    await rm(staged, { recursive: true, force: true });
  }
}

/** The secret of bodies as the key list of the log's own home has it; undefined: there is no list, or it has none that came after. */
async function laterSecret(
  folder: string,
  { secret, unlock }: { readonly secret: Uint8Array; readonly unlock: (folder: string) => Promise<Keys> },
): Promise<Uint8Array | undefined> {
  const home = dirname(folder);
  if (!existsSync(join(homePaths(home).keys, 'keys.json'))) return undefined;
  const keys = await unlock(home);
  try {
    const later = keys.derive('audit-body');
    if (later.length > secret.length && continuesBodySecret(later, secret)) return later;
    later.fill(0);
    return undefined;
  } finally {
    await keys.stop();
  }
}

/** What a backup has of a log, and no more. */
async function copyLog(from: string, to: string): Promise<void> {
  const pinned = await pinAudit(from);
  for await (const entry of pinned.entries()) {
    const path = join(to, entry.path.slice('audit/'.length));
    try {
      await makeFolders(dirname(path), 0o700);
      await pipeline(Readable.from(entry.read(), { objectMode: false }), createWriteStream(path, { mode: 0o600 }));
    } catch (error) {
      throw diskError(error, to);
    }
  }
}
