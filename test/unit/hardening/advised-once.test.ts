import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate } from '../../../hardening/evaluate.ts';
import { loadBenchmark } from '../../../hardening/load-benchmark.ts';
import { factSet, subjectOf, type Values, values } from './fixture-facts.ts';

const checks = loadBenchmark().checks.filter(({ title }) => /AppArmor/.test(title));

function failing({ lsm, profile, label }: { lsm: readonly string[]; profile: string; label: string }): string[] {
  const container: Values = { 'container.platform': 'docker', 'container.appArmor': profile };
  const process: Values = { 'process.role': 'store', 'process.appArmor': label };
  const facts = factSet([
    subjectOf('host', 'host', values({ 'host.lsm': lsm })),
    subjectOf('container', 'store', values(container)),
    subjectOf('process', 'store', values(process)),
    subjectOf('node', 'node', {}),
  ]);
  const findings = evaluate(checks, facts).filter(({ verdict }) => verdict === 'fail');
  return findings.map(({ check }) => check).sort();
}

test('advises AppArmor once where the kernel has none', () => {
  assert.deepEqual(failing({ lsm: ['capability', 'yama'], profile: '', label: '' }), ['BYON-HST-005']);
  const advising = loadBenchmark().checks.filter(({ remediation }) =>
    /install apparmor/.test(JSON.stringify(remediation)),
  );
  assert.deepEqual(
    advising.map(({ id }) => id),
    ['BYON-HST-005'],
  );
});

test('says where it was switched off, as configured and as the kernel has it, and asks for no installation', () => {
  const on = { lsm: ['apparmor', 'capability'] };
  assert.deepEqual(failing({ ...on, profile: 'docker-default', label: 'docker-default (enforce)' }), []);
  assert.deepEqual(failing({ ...on, profile: 'docker-default', label: 'unconfined' }), ['BYON-PRC-012']);
  const off = failing({ ...on, profile: 'unconfined', label: 'unconfined' });
  assert.deepEqual(off, ['BYON-CTR-014', 'BYON-PRC-012']);
});
