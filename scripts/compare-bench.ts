/**
 * The hardening report beside another tool, clause by clause of one standard: what compare-docker-bench.ts and compare-kube-bench.ts
 * share. A tool says how its answers are read; the rest is the same: rows, the recorded answers, the tables of the page, the command.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** A check that fails outweighs one that could not look, and so on. */
const ORDER = ['fail', 'waived', 'error', 'pass', 'manual', 'not-applicable'] as const;

type Verdict = (typeof ORDER)[number];
/** WARN of docker-bench, and FAIL of others, is a failure; INFO and NOTE leave the clause to people. */
type Theirs = 'PASS' | 'WARN' | 'FAIL' | 'INFO' | 'NOTE';

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

/** The verdicts of the checks that name a clause of a standard. */
export function reportOf(report: ComparedReport, named: string): ComparedReport {
  const results = report.results.map(({ check, verdict, refs }) => ({
    ...{ check, verdict },
    refs: refs.filter(({ standard }) => standard === named).map(({ standard, clause }) => ({ standard, clause })),
  }));
  return { results };
}

function renderTable(rows: readonly Row[], tool: string): string {
  const head = ['clause', tool, 'harden', 'compared', 'decided by, and why'];
  const lines = rows.map(({ clause, theirs, ours, outcome, checks, why }) => {
    const by = outcome === 'agree' && checks.length > 4 ? [...checks.slice(0, 3), `${checks.length - 3} more`] : checks;
    const told = [by.map((check) => check.replace(/^BYON-/, '')).join(', '), why].filter(Boolean).join(': ');
    return [clause, theirs, ours, outcome, told];
  });
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** How many clauses came out how. */
function renderCounts(rows: readonly Row[]): string {
  const outcomes = [...new Set(rows.map(({ outcome }) => outcome))];
  return outcomes.map((one) => `${one}: ${rows.filter(({ outcome }) => outcome === one).length}`).join(', ');
}

/** Another tool, and where what belongs to the comparison with it lies. `Found`: both tools' answers, as they are recorded. */
export interface Comparison<Found> {
  /** Its name: of the script, of its column, of the folder of recordings and of the page. */
  readonly tool: string;
  /** Of the first argument. */
  readonly input: string;
  /** The answers of both, only what is compared, without the words of either. */
  record(theirs: unknown, report: ComparedReport): Found;
  compare(found: Found, differences: readonly Difference[]): Row[];
}

export interface Compared<Found> {
  readDifferences(): Difference[];
  readRecorded(name: string): Found;
  /** The page with the tables between its markers made anew. */
  renderPage(page: string): string;
  /** The command; returns its exit code. */
  run(args: readonly string[]): number;
}

const TABLE = /(<!-- table (\w+) -->\n)[\s\S]*?(<!-- end -->)/g;
const DIFFERENT_EXIT = 3;
const USAGE_EXIT = 2;

export function comparisonWith<Found>({ tool, input, record, compare }: Comparison<Found>): Compared<Found> {
  const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  const recorded = here(`../test/vectors/${tool}/`);
  const page = here(`../docs/${tool}.md`);
  const readDifferences = (): Difference[] =>
    parse(readFileSync(here(`./${tool}-differences.yaml`), 'utf8')) as Difference[];
  const readRecorded = (name: string): Found => readJson<Found>(`${recorded}${name}.json`);
  const renderPage = (text: string): string =>
    text.replace(TABLE, (_, begin: string, name: string, end: string) => {
      const rows = compare(readRecorded(name), readDifferences());
      return `${begin}${renderCounts(rows)}\n\n${renderTable(rows, tool)}${end}`;
    });

  function renewPage(how: string | undefined): number {
    const text = readFileSync(page, 'utf8');
    if (how === 'check') return text === renderPage(text) ? 0 : DIFFERENT_EXIT;
    writeFileSync(page, renderPage(text));
    return 0;
  }

  function run(args: readonly string[]): number {
    if (args[0] === 'doc') return renewPage(args[1]);
    const isRecording = args[0] === 'record';
    const [theirs, report, name] = isRecording ? args.slice(1) : args;
    if (theirs === undefined || report === undefined || (isRecording && !/^\w+$/.test(name ?? ''))) {
      process.stderr.write(`usage: compare-${tool}.ts [record] ${input} REPORT_JSON [NAME] | doc [check]\n`);
      return USAGE_EXIT;
    }
    const found = record(readJson(theirs), readJson<ComparedReport>(report));
    if (isRecording) {
      mkdirSync(recorded, { recursive: true });
      writeFileSync(`${recorded}${name}.json`, `${JSON.stringify(found)}\n`);
      return 0;
    }
    const rows = compare(found, readDifferences());
    process.stdout.write(`${renderTable(rows, tool)}\n${renderCounts(rows)}\n`);
    return rows.some(({ outcome }) => outcome === 'DIFFERENT') ? DIFFERENT_EXIT : 0;
  }

  return { readDifferences, readRecorded, renderPage, run };
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
