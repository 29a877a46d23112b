import type { Verdict } from '../finding.ts';
import type { Report } from './report.ts';
import { plural, VERDICT_WORDS } from './words.ts';

/** What a reader can ask for, each word for one verdict. */
export const SELECTABLE = {
  failed: 'fail',
  'not-seen': 'error',
  waived: 'waived',
  manual: 'manual',
  passed: 'pass',
  'not-applicable': 'not-applicable',
} as const satisfies Readonly<Record<string, Verdict>>;

export type Selectable = keyof typeof SELECTABLE;

/** The verdicts that are shown; undefined shows all of them. */
export type Selection = readonly Verdict[] | undefined;

/** The results that are shown, in a report whose counts, score and sentence stay those of all results. */
export function selected(report: Report, only: Selection): Report {
  if (only === undefined) return report;
  return { ...report, results: report.results.filter(({ verdict }) => only.includes(verdict)) };
}

/** Says that this is a part of the report, and how large a part. Undefined where all of it is shown. */
export function selectionWords(report: Report, only: Selection): string | undefined {
  if (only === undefined) return undefined;
  const shown = selected(report, only).results.length;
  const what = [...new Set(only)].map((verdict) => VERDICT_WORDS[verdict]).join(', ');
  return `Only a part is shown: ${plural(shown, 'check')} of ${report.results.length} (${what}). Sentence, score and counts are of all.`;
}

export function isShown(only: Selection, verdict: Verdict): boolean {
  return only === undefined || only.includes(verdict);
}
