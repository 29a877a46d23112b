import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LifeNotes } from '../../../hardening/collectors/life-notes.ts';
import { findLastBackup } from '../../life/last-backup.ts';
import { findLastScrub } from '../../life/last-scrub.ts';
import { findLastVerify } from '../../life/last-verify.ts';
import { readHistory } from '../history.ts';
import { findReportKey, type ReportKey } from '../report-key.ts';
import { findSchedule } from '../schedule/schedule-file.ts';

/** What this machine remembers of the node, from the notes of its commands. */
export async function readLifeNotes(home: string): Promise<LifeNotes> {
  const recorded = (await readHistory(home)).filter(({ auditLeaf }) => auditLeaf !== undefined);
  // A key that cannot be read signs nothing.
  const key = await findReportKey(home).catch(() => undefined);
  return {
    createdAt: authorityDate(home),
    lastBackupAt: (await findLastBackup(home))?.createdAt,
    lastScrubAt: (await findLastScrub(home))?.at,
    lastVerify: await findLastVerify(home),
    hardening: {
      // One that cannot be read is none that anybody could rely on.
      scheduled: (await findSchedule(home).catch(() => undefined)) !== undefined,
      lastReportAt: recorded.at(-1)?.createdAt,
    },
    reportKey: key === undefined ? undefined : noteOf(key),
  };
}

function noteOf(key: ReportKey): NonNullable<LifeNotes['reportKey']> {
  const { createdAt, algorithm, protected: passphrase, kdf } = key;
  return { createdAt, algorithm, passphrase, ...(kdf !== undefined && { kdf }) };
}

/** The node's own authority is made with the node, and never again. */
function authorityDate(home: string): string | undefined {
  try {
    return new X509Certificate(readFileSync(join(home, 'tls', 'ca.crt'))).validFromDate.toISOString();
  } catch {
    return undefined;
  }
}
