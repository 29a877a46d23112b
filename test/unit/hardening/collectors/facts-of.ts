import assert from 'node:assert/strict';
import type { Collector } from '../../../../hardening/collectors/collector.ts';
import { collectFacts } from '../../../../hardening/collectors/collector.ts';
import type { FactSet, Observation, Subject } from '../../../../hardening/fact-set.ts';

/** Everything that these collectors say, checked against the registry of facts as in earnest. */
export function collect(...collectors: Collector[]): Promise<FactSet> {
  return collectFacts(collectors, {
    tool: { name: 'test', version: '0' },
    node: { id: 'n', target: 'process', network: 'devnet' },
    now: () => 0,
    signal: new AbortController().signal,
  });
}

/** The values of a subject's facts; an error or an absence as it is. */
export function valuesOf(facts: FactSet, kind: Subject['kind'], name: string): Record<string, unknown> {
  const subject = facts.subjects.find((one) => one.kind === kind && one.name === name);
  assert.ok(subject, `no ${kind} ${name} among ${facts.subjects.map((one) => `${one.kind} ${one.name}`).join(', ')}`);
  return Object.fromEntries(
    Object.entries(subject.facts).map(([id, seen]: [string, Observation]) => [id, 'value' in seen ? seen.value : seen]),
  );
}

/** Why a collector could not look; undefined when it could. */
export function failureOf(facts: FactSet, collector: string): string | undefined {
  return facts.collections.find((one) => one.collector === collector && one.outcome === 'failed')?.reason;
}
