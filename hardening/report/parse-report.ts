import { isDeepStrictEqual } from 'node:util';
import { Errors, Check as matches } from 'typebox/value';
import { NectarError } from '../../protocol/errors.ts';
import { SEVERITIES, type Severity } from '../check.ts';
import type { Verdict } from '../finding.ts';
import { ceilingOf, fitnessOf } from './fitness.ts';
import { countVerdicts, isAtLeast, type Report } from './report.ts';
import { ReportSchema } from './schema.ts';
import { scoreOf } from './score.ts';

export const MAX_REPORT_BYTES = 32 * 1024 * 1024;
const MAX_PROBLEMS = 20;

/**
 * A report from a file: size, shape, then whether its summary is that of its results. One that says 100 above a list of failures
 * was edited by someone.
 *
 * @throws NectarError HARDENING_REPORT_INVALID
 */
export function parseReport(bytes: Uint8Array, path: string): Report {
  const refuse = (problems: readonly string[], cause?: unknown): never => {
    throw new NectarError('HARDENING_REPORT_INVALID', { path, problems: problems.slice(0, MAX_PROBLEMS) }, { cause });
  };
  if (bytes.length > MAX_REPORT_BYTES) return refuse([`longer than ${MAX_REPORT_BYTES} bytes`]);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return refuse(['not JSON in UTF-8'], error);
  }
  if (!matches(ReportSchema, value)) {
    return refuse(Errors(ReportSchema, value).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`));
  }
  const report: Report = value;
  const problems = summaryProblems(report);
  return problems.length > 0 ? refuse(problems) : report;
}

/** Whether counts, score and lists are those of the results, and no check occurs twice. */
function summaryProblems({ results, fitness, counts, score, failed, unseen, profile }: Report): string[] {
  const ids = results.map(({ check }) => check);
  const listed = (verdict: Verdict): string[] =>
    results
      .filter((result) => result.verdict === verdict && isAtLeast(result.severity, profile.threshold))
      .map(({ check }) => check);
  return [
    ...(new Set(ids).size === ids.length ? [] : ['a check occurs twice']),
    ...(isDeepStrictEqual(counts, countVerdicts(results)) ? [] : ['its counts are not those of its results']),
    ...(isDeepStrictEqual(fitness, fitnessOf(fitness.promises)) ? [] : ['its fitness is not that of its promises']),
    ...promiseProblems(results, fitness.promises),
    ...(isDeepStrictEqual(score, scoreOf(results, { weights: weightsOf(score), ceiling: ceilingOf(fitness.promises) }))
      ? []
      : ['its score is not that of its results']),
    ...(isDeepStrictEqual(failed, listed('fail')) ? [] : ['its list of failures is not that of its results']),
    ...(isDeepStrictEqual(unseen, listed('error'))
      ? []
      : ['its list of what could not be seen is not that of its results']),
  ];
}

/** A promise that is judged among the results has one verdict. */
function promiseProblems(results: Report['results'], promises: Report['fitness']['promises']): string[] {
  const verdicts = new Map(results.map(({ check, verdict }) => [check, verdict]));
  return promises
    .filter(({ check, verdict }) => (verdicts.get(check) ?? verdict) !== verdict)
    .map(({ check }) => `${check} has two verdicts`);
}

/** The weights by which it was scored: another version may have had others. */
function weightsOf({ parts }: Report['score']): Record<Severity, number> {
  const weight = (severity: Severity): number => parts.find((part) => part.severity === severity)?.weight ?? 0;
  return Object.fromEntries(SEVERITIES.map((severity) => [severity, weight(severity)])) as Record<Severity, number>;
}

/** The report as a file: the JSON that parseReport reads. */
export function renderJson(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
