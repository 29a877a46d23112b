/**
 * docker-bench-security and `nectar-byon harden --profile cis-docker` on the same containers, clause by clause: docs/docker-bench.md.
 *
 *   compare-docker-bench.ts BENCH_LOG_JSON REPORT_JSON        prints the table; exit code 3 when a difference is not explained
 *   compare-docker-bench.ts record BENCH_LOG_JSON REPORT_JSON NAME     keeps the results alone, for the tests and the page
 *   compare-docker-bench.ts doc [check]                       the tables of the page, from what was recorded
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const STANDARD = 'CIS Docker Benchmark';
const EXPLANATIONS = fileURLToPath(new URL('./docker-bench-differences.yaml', import.meta.url));
const RECORDED = fileURLToPath(new URL('../test/vectors/docker-bench/', import.meta.url));
const PAGE = fileURLToPath(new URL('../docs/docker-bench.md', import.meta.url));
/** A check that fails outweighs one that could not look, and so on. */
const ORDER = ['fail', 'waived', 'error', 'pass', 'manual', 'not-applicable'] as const;

type Verdict = (typeof ORDER)[number];
/** WARN of docker-bench, and FAIL of others, is a failure; INFO and NOTE leave the clause to people. */
type Theirs = 'PASS' | 'WARN' | 'FAIL' | 'INFO' | 'NOTE';

export interface BenchLog {
  readonly tests: readonly { readonly results: readonly { readonly id: string; readonly result: string }[] }[];
}

/** The part of a report that is compared. */
export interface ComparedReport {
  readonly results: readonly {
    readonly check: string;
    readonly verdict: string;
    readonly refs: readonly { readonly standard: string; readonly clause: string }[];
  }[];
}

/** Why two tools rightly say different things of one clause. */
export interface Difference {
  readonly clauses: readonly string[];
  readonly theirs: Theirs;
  readonly ours: Verdict;
  readonly why: string;
}

export interface Row {
  readonly clause: string;
  readonly theirs: string;
  readonly ours: string;
  /** The checks that decided. */
  readonly checks: readonly string[];
  /** `theirs alone`, `ours alone`: the other tool leaves the clause to people. */
  readonly outcome: 'agree' | 'explained' | 'DIFFERENT' | 'theirs alone' | 'ours alone' | 'left to people';
  readonly why: string;
}

export function compare(log: BenchLog, report: ComparedReport, differences: readonly Difference[]): Row[] {
  const results = log.tests.flatMap((test) => test.results);
  return compareClauses(report, { results, differences, standard: STANDARD, sections: /^[1-5]\./ });
}

export interface OtherTool {
  readonly results: readonly { readonly id: string; readonly result: string }[];
  readonly differences: readonly Difference[];
  /** Whose clauses both name, and which of them are compared. */
  readonly standard: string;
  readonly sections: RegExp;
}

/** Every clause that either of them names, in the order of the benchmark. Pure. */
export function compareClauses(report: ComparedReport, { results, differences, standard, sections }: OtherTool): Row[] {
  const theirs = new Map(results.map(({ id, result }) => [id, result]));
  const named = report.results.flatMap((result) => clausesOf(result, standard));
  const clauses = new Set([...theirs.keys(), ...named].filter((id) => sections.test(id)));
  return [...clauses].sort(byNumber).map((clause) => {
    const of = report.results.filter((result) => clausesOf(result, standard).includes(clause));
    const ours = ORDER.find((verdict) => of.some((result) => result.verdict === verdict)) ?? '-';
    const checks = of.filter(({ verdict }) => verdict === ours).map(({ check }) => check);
    const seen = { clause, theirs: theirs.get(clause) ?? '-', ours };
    const known = differences.find(
      (one) => one.clauses.includes(clause) && one.theirs === seen.theirs && one.ours === ours,
    );
    return { ...seen, checks, ...judge(seen, known) };
  });
}

function judge({ theirs, ours }: Pick<Row, 'theirs' | 'ours'>, known?: Difference): Pick<Row, 'outcome' | 'why'> {
  const theyJudge = ['PASS', 'WARN', 'FAIL'].includes(theirs);
  const weJudge = ours === 'pass' || ours === 'fail';
  if (theyJudge && weJudge && (theirs === 'PASS') === (ours === 'pass')) return { outcome: 'agree', why: '' };
  if (known !== undefined) return { outcome: 'explained', why: known.why };
  if (theyJudge && (weJudge || ours !== 'manual')) return { outcome: 'DIFFERENT', why: '' };
  if (theyJudge) return { outcome: 'theirs alone', why: '' };
  return { outcome: weJudge ? 'ours alone' : 'left to people', why: '' };
}

function clausesOf({ refs }: ComparedReport['results'][number], named: string): string[] {
  return refs.filter(({ standard }) => standard === named).map(({ clause }) => clause);
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

export function readDifferences(): Difference[] {
  return parse(readFileSync(EXPLANATIONS, 'utf8')) as Difference[];
}

/** Only what is compared: results, without the words of either tool. */
export function recordOf(log: BenchLog, report: ComparedReport): { bench: BenchLog; report: ComparedReport } {
  const bench = log.tests.map(({ results }) => ({ results: results.map(({ id, result }) => ({ id, result })) }));
  return { bench: { tests: bench }, report: reportOf(report, STANDARD) };
}

/** The verdicts of the checks that name a clause of a standard. */
export function reportOf(report: ComparedReport, named: string): ComparedReport {
  const results = report.results.map(({ check, verdict, refs }) => ({
    ...{ check, verdict },
    refs: refs.filter(({ standard }) => standard === named).map(({ standard, clause }) => ({ standard, clause })),
  }));
  return { results };
}

export function readRecorded(name: string): { bench: BenchLog; report: ComparedReport } {
  return JSON.parse(readFileSync(`${RECORDED}${name}.json`, 'utf8'));
}

export function renderTable(rows: readonly Row[], tool = 'docker-bench'): string {
  const head = ['clause', tool, 'harden', 'compared', 'decided by, and why'];
  const lines = rows.map(({ clause, theirs, ours, outcome, checks, why }) => {
    const by = outcome === 'agree' && checks.length > 4 ? [...checks.slice(0, 3), `${checks.length - 3} more`] : checks;
    const told = [by.map((check) => check.replace(/^BYON-/, '')).join(', '), why].filter(Boolean).join(': ');
    return [clause, theirs, ours, outcome, told];
  });
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** How many clauses came out how. */
export function renderCounts(rows: readonly Row[]): string {
  const outcomes = [...new Set(rows.map(({ outcome }) => outcome))];
  return outcomes.map((one) => `${one}: ${rows.filter(({ outcome }) => outcome === one).length}`).join(', ');
}

/** The page with the tables between its markers made anew. */
export function renderPage(page: string): string {
  return page.replace(
    /(<!-- table (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, begin: string, name: string, end: string) => {
      const { bench, report } = readRecorded(name);
      const rows = compare(bench, report, readDifferences());
      return `${begin}${renderCounts(rows)}\n\n${renderTable(rows)}${end}`;
    },
  );
}

function readJson<T>(path = ''): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

function run(args: readonly string[]): number {
  if (args[0] === 'doc') {
    const page = readFileSync(PAGE, 'utf8');
    if (args[1] === 'check') return page === renderPage(page) ? 0 : 3;
    writeFileSync(PAGE, renderPage(page));
    return 0;
  }
  const recording = args[0] === 'record';
  const [log, report, name] = recording ? args.slice(1) : args;
  if (log === undefined || report === undefined || (recording && !/^\w+$/.test(name ?? ''))) {
    process.stderr.write('usage: compare-docker-bench.ts [record] BENCH_LOG_JSON REPORT_JSON [NAME] | doc [check]\n');
    return 2;
  }
  const found = { log: readJson<BenchLog>(log), report: readJson<ComparedReport>(report) };
  if (recording) {
    mkdirSync(RECORDED, { recursive: true });
    writeFileSync(`${RECORDED}${name}.json`, `${JSON.stringify(recordOf(found.log, found.report))}\n`);
    return 0;
  }
  const rows = compare(found.log, found.report, readDifferences());
  process.stdout.write(`${renderTable(rows)}\n${renderCounts(rows)}\n`);
  return rows.some(({ outcome }) => outcome === 'DIFFERENT') ? 3 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = run(process.argv.slice(2));
