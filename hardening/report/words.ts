import type { PerPlatform, Severity, Target } from '../check.ts';
import type { FactValue } from '../fact-type.ts';
import type { FactId } from '../facts/index.ts';
import type { Evidence, Verdict } from '../finding.ts';
import { modeText } from '../operator.ts';
import type { Result } from './report.ts';

/** The order in which readers meet them: from what a site changes by itself to what is below it. */
export const TARGET_TITLES: Readonly<Record<Target, string>> = {
  container: 'Containers',
  image: 'Images',
  runtime: 'Running node',
  config: 'Configuration',
  data: 'Data and keys',
  kubernetes: 'Kubernetes',
  host: 'Host',
};

export const TARGETS_IN_ORDER = Object.keys(TARGET_TITLES) as readonly Target[];

export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  pass: 'passed',
  fail: 'failed',
  error: 'not seen',
  waived: 'waived',
  manual: 'for a person',
  'not-applicable': 'not applicable',
};

/** From what needs a person most. */
export const VERDICTS_BY_CONCERN: readonly Verdict[] = ['fail', 'error', 'waived', 'manual', 'pass', 'not-applicable'];

export const SEVERITY_WORDS: Readonly<Record<Severity, string>> = {
  critical: 'critical',
  high: 'high',
  medium: 'medium',
  low: 'low',
};

/** Facts that people read in octal. */
const OCTAL: readonly FactId[] = ['file.mode', 'engine.socketMode', 'engine.dataFolderMode', 'process.umask'];
const MAX_LISTED = 32;

/** An observed value for people, in the words in which expectations are said. */
function valueWords(fact: string | undefined, value: FactValue): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return OCTAL.some((id) => id === fact) ? modeText(value) : String(value);
  if (typeof value === 'string') return value || 'nothing';
  if (value.length === 0) return 'none';
  const more = value.length > MAX_LISTED ? ` and ${value.length - MAX_LISTED} more` : '';
  return (
    value
      .slice(0, MAX_LISTED)
      .map((one) => one || '(empty)')
      .join(', ') + more
  );
}

/** What a check says of the node: that what it promises holds, or what is so instead. */
export function headline({ verdict, title, failure }: Pick<Result, 'verdict' | 'title' | 'failure'>): string {
  return (verdict === 'fail' || verdict === 'waived') && failure ? capitalised(failure) : title;
}

export function capitalised(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

/** What was seen of one subject: the value, or why there is none. */
export function evidenceWords(fact: string | undefined, { observed, error }: Evidence): string {
  if (error !== undefined) return `not seen: ${error}`;
  return observed === undefined ? 'not seen' : valueWords(fact, observed);
}

/** How a check was judged: by which fact, and what was expected of it. */
export function expectedWords({ fact, about, expected }: Pick<Result, 'fact' | 'about' | 'expected'>): string {
  if (fact === undefined) return 'A person must look.';
  return `Judged by ${fact} (${about ?? ''}): expected ${expected ?? ''}.`;
}

/** What is said for the node's target; for a target of which nothing is said, what is said for the others, named. */
export function forTarget(texts: PerPlatform, target: string): string {
  const own = Object.entries(texts).find(([platform]) => platform === target)?.[1] ?? texts.any;
  if (own !== undefined) return own;
  return Object.entries(texts)
    .map(([platform, text]) => `${platform}: ${text}`)
    .join(' ');
}

/** Evidence that decides a verdict: what does not hold where something fails or was not seen, else all of it. */
export function decisiveEvidence({ verdict, evidence }: Pick<Result, 'verdict' | 'evidence'>): readonly Evidence[] {
  return verdict === 'pass' ? evidence : evidence.filter(({ holds }) => !holds);
}

/** `1 check`, `2 checks`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `2026-11-23T10:00:00.000Z` as `2026-11-23 10:00 UTC`. */
export function timeWords(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
}
