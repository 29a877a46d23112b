import type { Severity } from '../check.ts';
import type { Verdict } from '../finding.ts';
import { bySeverity } from './by-severity.ts';
import type { Report, Result } from './report.ts';
import { headline } from './words.ts';

/** A check whose verdict is another one now. */
export interface Change {
  readonly check: string;
  readonly title: string;
  readonly severity: Severity;
  readonly from: Verdict;
  readonly to: Verdict;
}

export type Listed = Pick<Change, 'check' | 'title' | 'severity'> & { readonly verdict: Verdict };

type Side = Pick<Report, 'createdAt' | 'tool' | 'node'> & { readonly profile: string; readonly score: number };

export interface ReportDiff {
  readonly before: Side;
  readonly after: Side;
  /** Why the two can be compared in part only: another node, profile, or set of checks. */
  readonly caveats: readonly string[];
  /** Failures that the report before did not have, whatever it said of the check, even nothing. */
  readonly newFailures: readonly Listed[];
  /** Failed before, pass now. What merely was not seen again, or was waived, is no fix. */
  readonly fixed: readonly Listed[];
  readonly stillFailing: readonly Listed[];
  /** All other changes of a verdict. */
  readonly changed: readonly Change[];
  readonly added: readonly Listed[];
  readonly removed: readonly Listed[];
  readonly scoreChange: number;
}

/** What became of a node between two reports; every list from the worst severity. Pure. */
export function diffReports(before: Report, after: Report): ReportDiff {
  const earlier = new Map(before.results.map((result) => [result.check, result]));
  const later = new Set(after.results.map(({ check }) => check));
  const changes = after.results.flatMap((result) => changeOf(earlier.get(result.check), result));
  const failures = after.results.filter(({ verdict }) => verdict === 'fail');
  const failedBefore = ({ check }: { check: string }): boolean => earlier.get(check)?.verdict === 'fail';
  return {
    before: sideOf(before),
    after: sideOf(after),
    caveats: caveatsOf(before, after),
    newFailures: listed(failures.filter((result) => !failedBefore(result))),
    fixed: listed(after.results.filter((result) => result.verdict === 'pass' && failedBefore(result))),
    stillFailing: listed(failures.filter(failedBefore)),
    changed: bySeverity(changes.filter(({ from, to }) => to !== 'fail' && !(from === 'fail' && to === 'pass'))),
    added: listed(after.results.filter(({ check }) => !earlier.has(check))),
    removed: listed(before.results.filter(({ check }) => !later.has(check))),
    scoreChange: after.score.value - before.score.value,
  };
}

function changeOf(before: Result | undefined, { check, title, severity, verdict }: Result): Change[] {
  if (before === undefined || before.verdict === verdict) return [];
  return [{ check, title, severity, from: before.verdict, to: verdict }];
}

function listed(results: readonly Result[]): Listed[] {
  return bySeverity(results).map((result) => {
    const { check, severity, verdict } = result;
    return { check, title: headline(result), severity, verdict };
  });
}

function sideOf({ createdAt, tool, node, profile, score }: Report): Side {
  return { createdAt, tool, node, profile: profile.name, score: score.value };
}

function caveatsOf(before: Report, after: Report): string[] {
  const caveats: string[] = [];
  if (before.node.id !== after.node.id) caveats.push('they are of two nodes');
  if (before.node.target !== after.node.target) caveats.push('the node ran on another target');
  if (before.profile.name !== after.profile.name) caveats.push('they were judged by two profiles');
  if (before.digests.benchmark !== after.digests.benchmark) caveats.push('the checks are of two versions');
  if (before.collectedAt > after.collectedAt) caveats.push('the first is the newer one');
  return caveats;
}
