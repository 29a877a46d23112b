import Type, { type Static } from 'typebox';
import { Check as matches } from 'typebox/value';
import { replaceFile } from '../../appliance/durable-file.ts';
import { VERDICTS } from '../../hardening/finding.ts';
import { appendHistory, toHistoryEntry } from '../../hardening/report/history.ts';
import type { Report } from '../../hardening/report/report.ts';
import { readSmallFile } from '../life/backup/small-files.ts';
import { hardeningPath, makeHardeningFolder } from './folder.ts';

const strict = { additionalProperties: false };
const count = Type.Integer({ minimum: 0 });
const digest = Type.String({ pattern: '^[0-9a-f]{64}$' });

const KeptReport = Type.Object(
  {
    createdAt: Type.String({ maxLength: 40 }),
    profile: Type.String({ maxLength: 64 }),
    score: Type.Integer({ minimum: 0, maximum: 100 }),
    counts: Type.Object(
      Object.fromEntries(VERDICTS.map((verdict) => [verdict, count])) as Record<
        (typeof VERDICTS)[number],
        typeof count
      >,
      strict,
    ),
    /** Of the JSON document, and of the file in another format that was written. */
    digest,
    fileDigest: Type.Optional(digest),
    /** Absent where the node could not put it on record. */
    auditLeaf: Type.Optional(count),
  },
  strict,
);
/** What is kept of an earlier report: its numbers, and where the audit log has it. */
export type KeptReport = Static<typeof KeptReport>;

const HistoryFile = Type.Object({ version: Type.Literal(1), reports: Type.Array(KeptReport) }, strict);

/** Earlier reports of this home, oldest first. A damaged file counts as none: it is a chart, no evidence. */
export async function readHistory(home: string): Promise<readonly KeptReport[]> {
  try {
    const bytes = await readSmallFile(historyPath(home));
    const value: unknown = bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString('utf8'));
    return matches(HistoryFile, value) ? value.reports : [];
  } catch {
    return [];
  }
}

/** Adds a report; of too many the oldest go. */
export async function keepReport(
  home: string,
  report: Report,
  kept: Pick<KeptReport, 'digest' | 'fileDigest' | 'auditLeaf'>,
): Promise<void> {
  const reports = appendHistory(await readHistory(home), { ...toHistoryEntry(report), ...kept } as KeptReport);
  await makeHardeningFolder(home);
  await replaceFile(historyPath(home), `${JSON.stringify({ version: 1, reports }, undefined, 1)}\n`, 0o600);
}

function historyPath(home: string): string {
  return hardeningPath(home, 'history.json');
}
