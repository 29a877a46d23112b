/**
 * docker-bench-security and `nectar-byon harden --profile cis-docker` on the same containers, clause by clause: docs/docker-bench.md.
 *
 *   compare-docker-bench.ts BENCH_LOG_JSON REPORT_JSON        prints the table; exit code 3 when a difference is not explained
 *   compare-docker-bench.ts record BENCH_LOG_JSON REPORT_JSON NAME     keeps the results alone, for the tests and the page
 *   compare-docker-bench.ts doc [check]                       the tables of the page, from what was recorded
 */
import { fileURLToPath } from 'node:url';
import {
  type ComparedReport,
  compareClauses,
  comparisonWith,
  type Difference,
  type Row,
  reportOf,
} from './compare-bench.ts';

const STANDARD = 'CIS Docker Benchmark';
const SECTIONS = /^[1-5]\./;

export interface BenchLog {
  readonly tests: readonly { readonly results: readonly { readonly id: string; readonly result: string }[] }[];
}

export interface Recorded {
  readonly bench: BenchLog;
  readonly report: ComparedReport;
}

export function compare(log: BenchLog, report: ComparedReport, differences: readonly Difference[]): Row[] {
  const results = log.tests.flatMap((test) => test.results);
  return compareClauses(report, { results, differences, standard: STANDARD, sections: SECTIONS });
}

/** Only what is compared: results, without the words of either tool. */
function recordOf(log: BenchLog, report: ComparedReport): Recorded {
  const bench = log.tests.map(({ results }) => ({ results: results.map(({ id, result }) => ({ id, result })) }));
  return { bench: { tests: bench }, report: reportOf(report, STANDARD) };
}

export const { readDifferences, readRecorded, renderPage, run } = comparisonWith<Recorded>({
  tool: 'docker-bench',
  input: 'BENCH_LOG_JSON',
  record: (log, report) => recordOf(log as BenchLog, report),
  compare: ({ bench, report }, differences) => compare(bench, report, differences),
});

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = run(process.argv.slice(2));
