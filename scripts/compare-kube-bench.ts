/**
 * kube-bench and `nectar-byon harden --cluster` on the same cluster, clause by clause of CIS section 5: docs/kube-bench.md.
 *
 *   compare-kube-bench.ts BENCH_JSON REPORT_JSON               prints the table; exit code 3 when a difference is not explained
 *   compare-kube-bench.ts record BENCH_JSON REPORT_JSON NAME   keeps the results alone, for the tests and the page
 *   compare-kube-bench.ts doc [check]                          the tables of the page, from what was recorded
 */
import { fileURLToPath } from 'node:url';
import { loadBenchmark } from '../hardening/load-benchmark.ts';
import {
  type ComparedReport,
  compareClauses,
  comparisonWith,
  type Difference,
  type OtherTool,
  type Row,
  reportOf,
} from './compare-bench.ts';

const STANDARD = 'CIS Kubernetes Benchmark';
/** Policies: what a release keeps or breaks. The sections before are of the control plane and the machines. */
const SECTION = /^5\./;

/** What was recorded: the node as CI installs it, and a release that was weakened in every way that the clauses know. */
export const RECORDINGS = ['node', 'weakened'] as const;

export interface KubeBench {
  readonly Controls: readonly { readonly tests: readonly { readonly results: readonly KubeBenchResult[] }[] }[];
}

interface KubeBenchResult {
  readonly test_number: string;
  readonly test_desc: string;
  readonly status: string;
  /** `manual`: nothing was looked at. */
  readonly type?: string;
}

export interface Recorded {
  readonly theirs: OtherTool['results'];
  readonly report: ComparedReport;
}

/** A clause that the newer edition has within another one. */
const WITHIN: Readonly<Record<string, string>> = {
  'Minimize the admission of containers with added capabilities':
    'Minimize the admission of containers with capabilities assigned',
};
const WORST = ['FAIL', 'PASS', 'INFO'];

/**
 * Their answers by our clause: PASS, FAIL, or INFO where the clause is left to people. They number an older edition than we, so that
 * clauses are told by their titles. A test that looks at something and is not scored says WARN where it fails.
 */
export function readKubeBench({ Controls }: KubeBench): OtherTool['results'] {
  const clauses = readClauses();
  const answers = new Map<string, string>();
  for (const result of Controls.flatMap(({ tests }) => tests).flatMap(({ results }) => results)) {
    const title = result.test_desc.replace(/ \((Automated|Manual)\)$/, '');
    const clause = clauses.get(WITHIN[title] ?? title) ?? `${result.test_number} ${title}`;
    const said = [answers.get(clause), result.type === 'manual' ? 'INFO' : result.status.replace('WARN', 'FAIL')];
    answers.set(clause, WORST.find((one) => said.includes(one)) ?? 'INFO');
  }
  return [...answers].map(([id, result]) => ({ id, result }));
}

function readClauses(): ReadonlyMap<string, string> {
  const { standards } = loadBenchmark();
  const clauses = standards.filter(({ standard }) => standard === STANDARD).flatMap((part) => part.clauses);
  return new Map(clauses.map(({ clause, title }) => [title, clause]));
}

export function compareKubeBench({ theirs, report }: Recorded, differences: readonly Difference[]): Row[] {
  return compareClauses(report, { results: theirs, differences, standard: STANDARD, sections: SECTION });
}

export const { readDifferences, readRecorded, renderPage, run } = comparisonWith<Recorded>({
  tool: 'kube-bench',
  input: 'BENCH_JSON',
  record: (bench, report) => ({ theirs: readKubeBench(bench as KubeBench), report: reportOf(report, STANDARD) }),
  compare: compareKubeBench,
});

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = run(process.argv.slice(2));
