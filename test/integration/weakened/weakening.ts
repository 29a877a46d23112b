import type { Check } from '../../../hardening/check.ts';
import type { Collector } from '../../../hardening/collectors/collector.ts';
import { evaluate } from '../../../hardening/evaluate.ts';
import type { FactSet } from '../../../hardening/fact-set.ts';
import { factKind } from '../../../hardening/facts/index.ts';
import type { Verdict } from '../../../hardening/finding.ts';
import { checksOf, getProfile, loadBenchmark } from '../../../hardening/load-benchmark.ts';
import type { SubjectKind } from '../../../hardening/subject.ts';

/** One thing done to a stack that makes it weaker, and what the report must say of it: neither less nor more. */
export interface Weakening<Stack> {
  readonly name: string;
  weaken(stack: Stack): Promise<unknown> | unknown;
  /** The checks that did not fail before, and do now. */
  readonly fails: readonly string[];
  /** What becomes of checks that can no longer be judged, or have nothing left to judge. */
  readonly otherwise?: Readonly<Record<string, Verdict>>;
  /** Who looks, where it is not those who do for every weakening of the stack. */
  readonly collectors?: readonly string[];
}

export type Verdicts = Readonly<Record<string, Verdict>>;

const benchmark = loadBenchmark();
const automated = checksOf(benchmark, getProfile(benchmark, 'full')).filter(({ mode }) => mode === 'automated');

/** Verdicts of every automated check whose kind of subject somebody looked at. */
export function verdictsOf(facts: FactSet): Verdicts {
  const seen = new Set(facts.collections.flatMap(({ kinds }) => kinds));
  const judged = automated.filter((check) => seen.has(kindOf(check)));
  return Object.fromEntries(evaluate(judged, facts).map(({ check, verdict }) => [check, verdict]));
}

/** What is not well by the profile that `nectar-byon harden` takes unless told otherwise; no waivers. */
export function unwell(facts: FactSet): Verdicts {
  const findings = evaluate(checksOf(benchmark, getProfile(benchmark, 'node')), facts);
  const bad = findings.filter(({ verdict }) => verdict === 'fail' || verdict === 'error');
  return Object.fromEntries(bad.map(({ check, verdict }) => [check, verdict]));
}

/** What is another verdict than before. */
export function changes(before: Verdicts, after: Verdicts): Verdicts {
  return Object.fromEntries(Object.entries(after).filter(([check, verdict]) => verdict !== before[check]));
}

export function expectedOf({ fails, otherwise = {} }: Pick<Weakening<never>, 'fails' | 'otherwise'>): Verdicts {
  return { ...Object.fromEntries(fails.map((check) => [`BYON-${check}`, 'fail' as const])), ...prefixed(otherwise) };
}

/** Those of a stack's collectors that are named, in the order in which they look. @throws where one is unknown */
export function named(collectors: readonly Collector[], names: readonly string[]): Collector[] {
  const unknown = names.filter((name) => !collectors.some((collector) => collector.name === name));
  if (unknown.length > 0) throw new Error(`no collector ${unknown.join(', ')}`);
  return collectors.filter(({ name }) => names.includes(name));
}

/** Of checks that nobody can judge any more. */
export function unseen(checks: string, verdict: Verdict = 'error'): Verdicts {
  return Object.fromEntries(checks.split(' ').map((check) => [check, verdict]));
}

function kindOf(check: Check): SubjectKind {
  if (check.mode === 'manual') throw new Error(`${check.id} is judged by people`);
  return factKind(check.probe.fact);
}

function prefixed(verdicts: Readonly<Record<string, Verdict>>): Verdicts {
  return Object.fromEntries(Object.entries(verdicts).map(([check, verdict]) => [`BYON-${check}`, verdict]));
}
