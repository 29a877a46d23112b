import type { AutomatedCheck, Check, Condition } from './check.ts';
import type { FactSet, Observation, Subject } from './fact-set.ts';
import { type FactId, factKind, factType } from './facts/index.ts';
import type { Evidence, Finding, Waiver } from './finding.ts';
import { holds } from './operator.ts';

/**
 * Judges facts by checks. Pure: the same facts give the same findings, wherever and whenever.
 * What was not seen is never a pass: an `error`. A waiver turns a failure into `waived` until its day is over; it does not turn
 * an `error` into anything, since nobody knows what would be waived.
 */
export function evaluate(checks: readonly Check[], facts: FactSet, waivers: readonly Waiver[] = []): Finding[] {
  return checks.map((check) => waive(judge(check, facts), facts.collectedAt, waivers));
}

function judge(check: Check, facts: FactSet): Finding {
  if (check.mode === 'manual') return { check: check.id, verdict: 'manual', evidence: [] };
  const kind = factKind(check.probe.fact);
  const collections = facts.collections.filter(({ kinds }) => kinds.includes(kind));
  const failed = collections.find(({ outcome }) => outcome === 'failed');
  if (failed !== undefined) {
    return undecided(check, 'error', `${failed.collector}: ${failed.reason ?? 'could not look'}`);
  }
  if (collections.length === 0) return undecided(check, 'error', `nobody looked at any ${kind}`);
  if (!collections.some(({ outcome }) => outcome === 'collected')) {
    return undecided(check, 'not-applicable', collections[0]?.reason ?? `there is no ${kind} here`);
  }
  return judgeSubjects(check, facts);
}

function judgeSubjects(check: AutomatedCheck, facts: FactSet): Finding {
  const kind = factKind(check.probe.fact);
  const absent: string[] = [];
  const evidence: Evidence[] = [];
  for (const subject of facts.subjects.filter((candidate) => candidate.kind === kind)) {
    const seen = judgeSubject(check, subject, facts);
    if (typeof seen === 'string') absent.push(seen);
    else if (seen !== undefined) evidence.push(seen);
  }
  const [reason = notApplicable(check, kind)] = absent;
  if (evidence.length === 0) return undecided(check, 'not-applicable', reason);
  if (evidence.some((one) => !one.holds && one.error === undefined))
    return { check: check.id, verdict: 'fail', evidence };
  if (evidence.some(({ error }) => error !== undefined)) return { check: check.id, verdict: 'error', evidence };
  return { check: check.id, verdict: 'pass', evidence };
}

/** Undefined where a condition does not hold for the subject; a text: why there is nothing to judge of it. */
function judgeSubject(check: AutomatedCheck, subject: Subject, facts: FactSet): Evidence | string | undefined {
  const of = { subject: subject.name, ...(subject.source !== undefined && { source: subject.source }) };
  const conditions = check.where.map((condition) => ({
    ...condition,
    observation: observe(subject, condition.fact, facts),
  }));
  // One that was seen not to hold decides, whatever could not be seen of the others.
  for (const { fact, expect, observation } of conditions) {
    if ('value' in observation && !holds(factType(fact), expect, observation.value)) return undefined;
  }
  for (const { fact, observation } of conditions) {
    if ('absent' in observation) return observation.absent;
    if ('error' in observation) return { ...of, error: `${fact}: ${observation.error}`, holds: false };
  }
  const { fact } = check.probe;
  const observation = observe(subject, fact, facts);
  if ('absent' in observation) return observation.absent;
  if ('error' in observation) return { ...of, error: observation.error, holds: false };
  const good = holds(factType(fact), check.expect, observation.value);
  return { ...of, observed: observation.value, holds: good };
}

/** What nobody gave is an error, unless the collector that would have had nothing to look at. */
function observe(subject: Subject, fact: FactId, { collections, subjects }: FactSet): Observation {
  const holder = factKind(fact) === subject.kind ? subject : subjects.find(({ kind }) => kind === factKind(fact));
  const given = holder?.facts[fact];
  if (given !== undefined) return given;
  const adders = collections.filter(({ adds }) => adds.includes(fact));
  const failed = adders.find(({ outcome }) => outcome === 'failed');
  if (failed !== undefined) return { error: `${failed.collector}: ${failed.reason ?? 'could not look'}` };
  const none = adders.find(({ outcome }) => outcome === 'not-applicable');
  if (none?.reason !== undefined && !adders.some(({ outcome }) => outcome === 'collected'))
    return { absent: none.reason };
  return { error: `${fact} was not looked for` };
}

function undecided(check: Check, verdict: 'error' | 'not-applicable', reason: string): Finding {
  return { check: check.id, verdict, reason, evidence: [] };
}

function notApplicable({ where }: { readonly where: readonly Condition[] }, kind: string): string {
  if (where.length === 0) return `there is no ${kind} here`;
  return `no ${kind} here meets its conditions (${where.map(({ fact }) => fact).join(', ')})`;
}

function waive(finding: Finding, at: string, waivers: readonly Waiver[]): Finding {
  if (finding.verdict !== 'fail') return finding;
  const own = waivers.filter(({ check }) => check === finding.check);
  // The whole of its last day counts.
  const over = ({ until }: Waiver): boolean => at.slice(0, 10) > until;
  const inForce = own.find((waiver) => !over(waiver) && Date.parse(waiver.since) <= Date.parse(at));
  if (inForce !== undefined) return { ...finding, verdict: 'waived', waiver: inForce };
  const expired = own.find(over);
  return expired === undefined ? finding : { ...finding, waiver: expired };
}
