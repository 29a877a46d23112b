import type { Benchmark, Check, Severity } from '../check.ts';
import type { Finding, Verdict } from '../finding.ts';
import { bySeverity } from './by-severity.ts';

/** The profile with what a node needs before patients' data goes into it; its rules add every critical check. */
const FITNESS_PROFILE = 'patient-data';

/** While a critical promise is not kept, no score is better than this, whatever the profile. */
const CEILING_WHILE_BROKEN = 69;
const CEILING = 100;
/** A sentence names this many failures; the report lists all. */
const MAX_NAMED = 6;

/** What became of one check that decides whether the node may hold patients' data. */
export interface JudgedPromise {
  readonly check: string;
  readonly severity: Severity;
  readonly verdict: Verdict;
  /** What is wrong where it is broken, what is promised elsewhere. */
  readonly words: string;
}

export interface Fitness {
  readonly fit: boolean;
  /** Why not, in words, from the worst; what was accepted in writing where it is fit. */
  readonly reasons: readonly string[];
  readonly promises: readonly JudgedPromise[];
}

/** Which checks decide. Manual ones do not: a person answers for them, and the report lists them. */
export function decidesFitness({ profiles }: Pick<Benchmark, 'profiles'>): (check: Check) => boolean {
  const named = profiles.find(({ name }) => name === FITNESS_PROFILE)?.checks ?? [];
  return (check) => check.mode === 'automated' && named.includes(check.id);
}

/** The promises of a node by the findings of their checks, in the order of the checks. */
export function promisesOf(judged: readonly { readonly check: Check; readonly finding: Finding }[]): JudgedPromise[] {
  return judged.map(({ check: { id, severity, title, failure = title }, finding: { verdict } }) => ({
    ...{ check: id, severity, verdict },
    words: verdict === 'fail' || verdict === 'waived' ? failure : title,
  }));
}

/**
 * Fit is a node of which every promise was seen to be kept. A waiver accepts a weakness; it does not keep a critical promise.
 * Pure, so that a report from a file can be held against its own promises.
 */
export function fitnessOf(promises: readonly JudgedPromise[]): Fitness {
  const failed = bySeverity(promises.filter(({ verdict }) => verdict === 'fail'));
  const waived = bySeverity(promises.filter(({ verdict }) => verdict === 'waived'));
  const unacceptable = waived.filter(({ severity }) => severity === 'critical');
  const unseen = bySeverity(promises.filter(({ verdict }) => verdict === 'error'));
  const judged = promises.some(({ verdict }) => verdict === 'pass');
  const against = [
    ...named(failed.map(({ words }) => words)),
    ...named(unacceptable.map(({ words }) => `${words}, and a waiver does not change that`)),
    ...unseenWords(unseen),
    ...(judged || failed.length + waived.length + unseen.length > 0 ? [] : ['nothing was looked at']),
  ];
  if (against.length > 0) return { fit: false, reasons: against, promises };
  return { fit: true, reasons: named(waived.map(({ words }) => `${words}, which was accepted in writing`)), promises };
}

function named(words: readonly string[]): string[] {
  const rest = words.length - MAX_NAMED;
  return rest > 0 ? [...words.slice(0, MAX_NAMED), `${rest} more failed`] : [...words];
}

function unseenWords(unseen: readonly JudgedPromise[]): string[] {
  const [first] = unseen;
  if (first === undefined) return [];
  const { words, check } = first;
  const promise = `"${words}" (${check})`;
  return [
    unseen.length === 1
      ? `one promise was not seen, ${promise}`
      : `${unseen.length} promises were not seen, the first ${promise}`,
  ];
}

/** The one sentence of a report: `fit for patient data: not yet, because the data disk is not encrypted; ...`. */
export function fitnessSentence({ fit, reasons }: Pick<Fitness, 'fit' | 'reasons'>): string {
  const words = reasons.join('; ');
  if (!fit) return `Fit for patient data: not yet, because ${words}.`;
  return words === '' ? 'Fit for patient data: yes.' : `Fit for patient data: yes, although ${words}.`;
}

/** The best score that a node with these promises can have. */
export function ceilingOf(promises: readonly JudgedPromise[]): number {
  const kept: readonly Verdict[] = ['pass', 'not-applicable'];
  const broken = promises.some(({ severity, verdict }) => severity === 'critical' && !kept.includes(verdict));
  return broken ? CEILING_WHILE_BROKEN : CEILING;
}
