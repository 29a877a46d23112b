import { join, relative } from 'node:path';
import { readPublicIdentity } from '../../../appliance/config/index.ts';
import { readFormat } from '../../../appliance/home-format.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { parseVerifierKey } from '../../../protocol/merkle/verifier-key.ts';
import { withCommandLock } from '../../provision/command-lock.ts';
import { withScratch } from '../../provision/staging-folder.ts';
import type { Say } from '../../render/work.ts';
import type { Terminal } from '../../terminal.ts';
import { pinHome } from '../backup/collect.ts';
import { openAuthority } from '../backup-authority.ts';
import { noteCopy, recordCopies } from '../copy-reports.ts';
import { keepingReplaced } from '../keep-replaced.ts';
import { recordBackup } from '../last-backup.ts';
import { isInVolumes, withNodeVolumes } from '../volumes/node-volumes.ts';
import { pinVolumes } from '../volumes/pin-volumes.ts';
import { stageSmallFiles } from '../volumes/stage-small-files.ts';
import { findKnown, rememberRepository } from './known-repositories.ts';
import { openTarget, type TargetPlace } from './open-target.ts';
import { type TakenSnapshot, type TakeSnapshot, takeSnapshot } from './take-snapshot.ts';

export interface BackUpTo extends TargetPlace {
  readonly home: string;
  readonly passphraseFile: string | undefined;
  readonly acceptOlder: boolean;
  readonly acceptLoss: boolean;
  readonly terminal: Terminal;
  /** Told when it has to wait for another run. */
  readonly say: Say;
  onBytes(bytes: number): void;
}

export interface BackedUpTo extends TakenSnapshot {
  readonly target: string;
  readonly milliseconds: number;
  /** Whether the audit log says so already; else it will at the next start. */
  readonly recorded: boolean;
}

/** Only one run at a time writes for a home, and only one prunes. */
export function withRepositoryLock<T>(
  request: Pick<BackUpTo, 'home' | 'terminal' | 'say'>,
  work: () => Promise<T>,
): Promise<T> {
  const { home, terminal, say } = request;
  return withCommandLock({ home, name: 'backup', purpose: 'backup', signal: terminal.signal, say }, work);
}

/** Brings the node of a home, wherever its data is, into a repository, and remembers how far. */
export function backUpTo(request: BackUpTo): Promise<BackedUpTo> {
  const { home, target } = request;
  if (!relative(home, target).startsWith('..') && !target.includes('://'))
    throw new NectarError('CLI_USAGE', { problem: 'a backup inside the home is lost with it: name another place' });
  return withRepositoryLock(request, async () => {
    const begun = performance.now();
    const taken = await withScratch(join(home, 'run', 'backup'), (scratch) =>
      isInVolumes(home) ? fromVolumes(request, scratch) : fromFolder(request, scratch),
    );
    const milliseconds = Math.round(performance.now() - begun);
    const { repository, generation, noteSha256, createdAt, files, bytes, manifestSha256 } = taken;
    const credentials = request.credentials === undefined ? {} : { credentials: request.credentials };
    const before = await findKnown(home, target);
    await rememberRepository(home, {
      ...before,
      ...{ target, ...credentials, repository, generation, noteSha256, createdAt },
    });
    await recordBackup(home, { file: target, createdAt, fileBytes: bytes });
    const recorded =
      taken.auditLeaf !== undefined || (await note(request, { files, bytes, createdAt, manifestSha256 }));
    return { ...taken, target, milliseconds, recorded };
  });
}

async function note(
  { home, terminal }: BackUpTo,
  of: Pick<TakenSnapshot, 'files' | 'bytes' | 'createdAt' | 'manifestSha256'>,
): Promise<boolean> {
  const { files: entries, bytes, createdAt: backupCreatedAt, manifestSha256 } = of;
  const at = new Date(terminal.now()).toISOString();
  await noteCopy(home, { what: 'backup', at, backupCreatedAt, entries, bytes, manifestSha256 });
  const { signal } = terminal;
  return (await recordCopies({ home, signal })) === 0;
}

function fromFolder(request: BackUpTo, scratch: string): Promise<TakenSnapshot> {
  const { home, terminal } = request;
  const pin: TakeSnapshot['pin'] = (spool) => pinHome({ home, spool, now: () => terminal.now() });
  return take(request, { sealed: home, homeFormat: readFormat(home), scratch, pin });
}

function fromVolumes(request: BackUpTo, scratch: string): Promise<TakenSnapshot> {
  const { home, terminal } = request;
  const staging = join(scratch, 'small');
  return withNodeVolumes({ home, terminal }, async (volumes) => {
    await stageSmallFiles(home, volumes, staging);
    const pin: TakeSnapshot['pin'] = (spool) =>
      pinVolumes({ home, volumes, spool, staging, now: () => terminal.now() });
    return take(request, { sealed: staging, homeFormat: readFormat(staging), scratch, pin });
  });
}

async function take(
  request: BackUpTo,
  from: { readonly sealed: string; readonly scratch: string } & Pick<TakeSnapshot, 'homeFormat' | 'pin'>,
): Promise<TakenSnapshot> {
  const { home, terminal, passphraseFile, acceptOlder, acceptLoss, onBytes } = request;
  const { sealed, homeFormat, scratch, pin } = from;
  const { nodeId, checkpointVkey } = readPublicIdentity(home);
  const target = await openTarget(request, terminal.signal);
  const authority = await openAuthority({ home, sealed, terminal, passphraseFile });
  try {
    const known = await findKnown(home, request.target);
    return await keepingReplaced({ home, terminal }, () =>
      takeSnapshot({
        ...{ target, nodeId, homeFormat, key: parseVerifierKey(checkpointVkey), authority },
        ...{ known, acceptOlder, acceptLoss, spool: join(scratch, 'spool') },
        ...{ signal: terminal.signal, pin, now: () => terminal.now(), onBytes },
      }),
    );
  } finally {
    await authority.close();
    await target.close();
  }
}
