import { join } from 'node:path';
import { withScratch } from '../provision/staging-folder.ts';
import type { Terminal } from '../terminal.ts';
import { type BackedUp, type BackUpRequest, backUpHome } from './backup/back-up-home.ts';
import { openAuthority } from './backup-authority.ts';
import { noteCopy, recordCopies } from './copy-reports.ts';
import { keepingReplaced } from './keep-replaced.ts';
import { recordBackup } from './last-backup.ts';
import { isInVolumes, withNodeVolumes } from './volumes/node-volumes.ts';
import { pinVolumes } from './volumes/pin-volumes.ts';
import { stageSmallFiles } from './volumes/stage-small-files.ts';

export interface BackUp {
  readonly home: string;
  readonly out: string;
  readonly force: boolean;
  readonly passphraseFile: string | undefined;
  readonly terminal: Terminal;
  onBytes(bytes: number): void;
}

export interface BackedUpNode extends BackedUp {
  /** Whether the audit log says so already; else it will at the next start. */
  readonly recorded: boolean;
}

/** Backs up the node of a home, wherever its data is, and has it put on record. */
export async function backUp(request: BackUp): Promise<BackedUpNode> {
  const { home, out, terminal } = request;
  const done = await (isInVolumes(home) ? backUpVolumes(request) : backUpFolder(request));
  const { createdAt, entries, bytes, manifestSha256, fileBytes } = done;
  await recordBackup(home, { file: out, createdAt, fileBytes });
  if (done.recorded) return done;
  const at = new Date(terminal.now()).toISOString();
  await noteCopy(home, { what: 'backup', at, backupCreatedAt: createdAt, entries, bytes, manifestSha256 });
  const { signal } = terminal;
  signal.throwIfAborted();
  return { ...done, recorded: (await recordCopies({ home, signal })) === 0 };
}

function backUpFolder(request: BackUp): Promise<BackedUpNode> {
  return signed(request, request.home, (rest) => backUpHome(rest));
}

async function backUpVolumes(request: BackUp): Promise<BackedUpNode> {
  const { home, terminal } = request;
  return withScratch(join(home, 'run', 'backup'), (staging) =>
    withNodeVolumes({ home, terminal }, async (volumes) => {
      await stageSmallFiles(home, volumes, staging);
      const pin = (spool: string) => pinVolumes({ home, volumes, spool, staging, now: () => terminal.now() });
      return signed(request, staging, (rest) => backUpHome({ ...rest, pin }));
    }),
  );
}

/** With a signature of the running node, else of its checkpoint key, opened from the sealed files in `sealed`. */
async function signed(
  { home, out, force, passphraseFile, terminal, onBytes }: BackUp,
  sealed: string,
  work: (rest: BackUpRequest) => Promise<BackedUp>,
): Promise<BackedUpNode> {
  const authority = await openAuthority({ home, sealed, terminal, passphraseFile });
  let recorded = false;
  const signer: BackUpRequest['signer'] = {
    async sign({ nodeId: _, ...statement }) {
      const { signature, auditLeaf } = await authority.sign({ kind: 'file', ...statement });
      recorded = auditLeaf !== undefined;
      return signature;
    },
  };
  try {
    const { signal } = terminal;
    const rest = { home, out, force, signer, signal, now: () => terminal.now(), onBytes };
    const done = await keepingReplaced({ home, terminal }, () => work(rest));
    return { ...done, recorded };
  } finally {
    await authority.close();
  }
}
