import { createHash } from 'node:crypto';
import { canonicalBytes } from '../../protocol/merkle/audit-leaf.ts';
import { type Benchmark, type Check, type Profile, SEVERITIES, type Severity } from '../check.ts';
import { evaluate } from '../evaluate.ts';
import type { Collection, FactSet } from '../fact-set.ts';
import { FACTS, factType } from '../facts/index.ts';
import { type Finding, VERDICTS, type Verdict, type Waiver } from '../finding.ts';
import { expectationWords } from '../operator.ts';
import { ceilingOf, decidesFitness, type Fitness, fitnessOf, promisesOf } from './fitness.ts';
import { type Posture, postureOf } from './posture.ts';
import { type Score, scoreOf } from './score.ts';

export const REPORT_FORMAT = 'nectar-byon-hardening-report/2';

/** A finding with the check that it is of, so that a report can be read without this program. */
export interface Result extends Finding {
  readonly title: string;
  /** What is so where it fails; absent of a check that a person makes. */
  readonly failure?: string;
  readonly target: Check['target'];
  readonly severity: Severity;
  readonly mode: Check['mode'];
  /** Id of the fact that was judged; a text, since another version's report may name one that this version does not know. */
  readonly fact?: string;
  /** What that fact is, with its unit. */
  readonly about?: string;
  /** What was expected, in words. */
  readonly expected?: string;
  readonly rationale: string;
  readonly remediation: Check['remediation'];
  readonly see: Check['see'];
  readonly refs: Check['refs'];
}

/** A collection; ids of facts as texts, for the same reason as in a result. */
export type ReportCollection = Omit<Collection, 'adds'> & { readonly adds: readonly string[] };

/** A report of the past, for the history of scores. */
export interface HistoryEntry {
  readonly createdAt: string;
  readonly profile: string;
  readonly score: number;
  readonly counts: Readonly<Record<Verdict, number>>;
}

export interface Report {
  readonly format: typeof REPORT_FORMAT;
  /** ISO 8601, UTC; when it was judged. */
  readonly createdAt: string;
  /** When the facts were collected. */
  readonly collectedAt: string;
  readonly tool: FactSet['tool'];
  readonly node: FactSet['node'];
  readonly profile: Pick<Profile, 'name' | 'title' | 'about' | 'threshold'>;
  /** SHA-256 of the files with the checks, and of the facts as canonical JSON (RFC 8785), hex. */
  readonly digests: { readonly benchmark: string; readonly facts: string };
  /** Whether the node may hold patients' data, by the same checks whatever the profile. */
  readonly fitness: Fitness;
  /** Of node, host and network, by all checks whatever the profile. */
  readonly posture: readonly Posture[];
  readonly counts: Readonly<Record<Verdict, number>>;
  readonly score: Score;
  /** Ids that failed, and that could not be looked at, at or above the threshold. */
  readonly failed: readonly string[];
  readonly unseen: readonly string[];
  /** In the order of the profile's checks. */
  readonly results: readonly Result[];
  /** Waivers that waived nothing: their check did not fail, was not judged, or they have run out. */
  readonly idleWaivers: readonly Waiver[];
  /** Why the audit log could not say what is waived: then nothing is. */
  readonly waiversUnknown?: string;
  /** Who looked, with which privilege, and what became of it. */
  readonly collections: readonly ReportCollection[];
  /** Earlier reports of this node, oldest first; empty where none is known. */
  readonly history: readonly HistoryEntry[];
}

export interface ReportInput {
  readonly benchmark: Benchmark;
  readonly profile: Profile;
  readonly facts: FactSet;
  readonly waivers: readonly Waiver[];
  readonly waiversUnknown?: string;
  readonly history: readonly HistoryEntry[];
  /** The profile's, unless the caller wants another. */
  readonly threshold?: Severity;
  readonly now: () => number;
}

/** Judges the facts by the profile's checks and says all of it in one document. Pure but for the clock that it is given. */
export function createReport(input: ReportInput): Report {
  const { benchmark, facts, waivers, history, now } = input;
  const { name, title, about, threshold } = { ...input.profile, threshold: input.threshold ?? input.profile.threshold };
  const findings = evaluate(benchmark.checks, facts, waivers);
  const judged = benchmark.checks.map((check, index) => ({ check, finding: findings[index] as Finding }));
  const results = judged
    .filter(({ check }) => input.profile.checks.includes(check.id))
    .map(({ check, finding }) => toResult(check, finding));
  const decides = decidesFitness(benchmark);
  const fitness = fitnessOf(promisesOf(judged.filter(({ check }) => decides(check))));
  const bad = (verdict: Verdict): string[] =>
    results
      .filter((result) => result.verdict === verdict && isAtLeast(result.severity, threshold))
      .map(({ check }) => check);
  return {
    format: REPORT_FORMAT,
    createdAt: new Date(now()).toISOString(),
    collectedAt: facts.collectedAt,
    tool: facts.tool,
    node: facts.node,
    profile: { name, title, about, threshold },
    digests: { benchmark: benchmark.digest, facts: createHash('sha256').update(canonicalBytes(facts)).digest('hex') },
    fitness,
    posture: postureOf(judged),
    counts: countVerdicts(results),
    score: scoreOf(results, { ceiling: ceilingOf(fitness.promises) }),
    failed: bad('fail'),
    unseen: bad('error'),
    results,
    idleWaivers: waivers.filter((waiver) => !results.some((result) => isInForce(result, waiver))),
    ...(input.waiversUnknown === undefined ? {} : { waiversUnknown: input.waiversUnknown }),
    collections: facts.collections,
    history,
  };
}

function toResult(check: Check, finding: Finding): Result {
  const { title, failure, target, severity, mode, rationale, remediation, see, refs } = check;
  const base = {
    ...finding,
    title,
    ...(failure !== undefined && { failure }),
    target,
    severity,
    mode,
    rationale,
    remediation,
    see,
    refs,
  };
  if (check.mode === 'manual') return base;
  const { fact } = check.probe;
  return { ...base, fact, about: FACTS[fact].about, expected: expectationWords(factType(fact), check.expect) };
}

function isInForce(result: Result, waiver: Waiver): boolean {
  return result.verdict === 'waived' && result.waiver === waiver;
}

/** Critical checks that fail and are waived: no surface shows them as well. */
export function waivedCritical({ results }: Pick<Report, 'results'>): readonly string[] {
  return results
    .filter(({ verdict, severity }) => verdict === 'waived' && severity === 'critical')
    .map(({ check }) => check);
}

/** Whether a severity is as bad as another, or worse. */
export function isAtLeast(severity: Severity, threshold: Severity): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(threshold);
}

export function countVerdicts(results: readonly { readonly verdict: Verdict }[]): Record<Verdict, number> {
  const count = (verdict: Verdict): number => results.filter((result) => result.verdict === verdict).length;
  return Object.fromEntries(VERDICTS.map((verdict) => [verdict, count(verdict)])) as Record<Verdict, number>;
}
