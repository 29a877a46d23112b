import { join } from 'node:path';
import { readPublicIdentity } from '../../../appliance/config/index.ts';
import { readFormat } from '../../../appliance/home-format.ts';
import { BACKUP_VERSION, type BackupStatement } from '../../../protocol/backup/statement.ts';
import { parseVerifierKey } from '../../../protocol/merkle/verifier-key.ts';
import { writeOutputFile } from '../../output-file.ts';
import { withScratch } from '../../provision/staging-folder.ts';
import { VERSION } from '../../version.ts';
import { type PinnedHome, pinHome } from './collect.ts';
import { type BackupResult, writeBackup } from './write-backup.ts';

export interface BackUpRequest {
  readonly home: string;
  readonly out: string;
  readonly force: boolean;
  /** Signs by the node's checkpoint key. */
  readonly signer: { sign(statement: BackupStatement): Promise<Uint8Array> };
  readonly signal: AbortSignal;
  now(): number;
  onBytes(bytes: number): void;
  /** Where its data is not in the home itself. */
  readonly pin?: (spool: string) => Promise<PinnedHome>;
}

export interface BackedUp extends BackupResult {
  readonly nodeId: string;
  readonly createdAt: string;
  /** Of the file. */
  readonly fileBytes: number;
}

/** Writes the backup of a home, running or not, to one file, which appears under its name only when it is whole and durable. */
export function backUpHome(request: BackUpRequest): Promise<BackedUp> {
  return withScratch(join(request.home, 'run', 'backup'), (scratch) => writeHome(request, scratch));
}

async function writeHome(request: BackUpRequest, scratch: string): Promise<BackedUp> {
  const { home, out, signer, signal, now } = request;
  const { nodeId, checkpointVkey } = readPublicIdentity(home);
  const homeFormat = readFormat(home);
  const spool = join(scratch, 'spool');
  const pinned = await (request.pin === undefined ? pinHome({ home, spool, now }) : request.pin(spool));
  const { createdAt } = pinned;
  let result: BackupResult = { entries: 0, bytes: 0, manifestSha256: '' };
  try {
    const stream = writeBackup({
      header: {
        format: 'nectar-byon-backup',
        version: BACKUP_VERSION,
        nodeId,
        createdAt,
        program: VERSION,
        homeFormat,
      },
      entries: pinned.entries(),
      key: parseVerifierKey(checkpointVkey),
      sign: (statement) => signer.sign(statement),
      spool: join(scratch, 'manifest'),
      signal,
      onResult: (written) => {
        result = written;
      },
    });
    const fileBytes = await writeOutputFile(out, counted(stream, request.onBytes), request.force);
    return { ...result, nodeId, createdAt, fileBytes };
  } finally {
    await pinned.release();
  }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    onBytes(chunk.length);
    yield chunk;
  }
}
