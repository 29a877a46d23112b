import type { AutomatedCheck, Benchmark, Check, Profile } from '../../../../hardening/check.ts';
import { FACTS_FORMAT, type FactSet, type Observation, type Subject } from '../../../../hardening/fact-set.ts';
import type { FactId } from '../../../../hardening/facts/index.ts';
import type { Waiver } from '../../../../hardening/finding.ts';
import { createReport, type HistoryEntry, type Report } from '../../../../hardening/report/report.ts';
import type { SubjectKind } from '../../../../hardening/subject.ts';

/** What a hostile name may hold: markup of every format, control characters, text that runs backwards, half a character. */
export const HOSTILE =
  "<script>alert(1)</script>\" onload='x' ]]> <![CDATA[ &amp; -->\u0000\u001b[31m\u202egnp.exe\ufffe\ud800 {{x}} %0a\r\nend";

const HIPAA = '45 CFR Part 164 Subpart C';

interface CheckText {
  readonly id: string;
  readonly title: string;
  readonly clause?: string;
  readonly severity?: Check['severity'];
  readonly target?: Check['target'];
}

function base({ id, title, clause, severity = 'medium', target = 'container' }: CheckText): Omit<Check, 'mode'> {
  return {
    id,
    title,
    target,
    severity,
    rationale: `Because of ${title.toLowerCase()}, whoever breaks into one role stays in it and cannot reach the records of another.`,
    remediation: { docker: `Run \`nectar-byon init --target docker\` again for ${id}.`, any: `Correct ${id} by hand.` },
    see: { docker: "docker inspect --format '{{.HostConfig.ReadonlyRootfs}}' NAME", any: 'Look at the configuration.' },
    refs: [
      { standard: 'CIS Docker Benchmark', version: '1.6.0', clause: '5.12', title: 'Root file system is read-only' },
      ...(clause === undefined ? [] : [{ standard: 'HIPAA', version: HIPAA, clause, title: 'A clause of the rule' }]),
    ],
  };
}

function automated(text: CheckText, fact: FactId, expect: AutomatedCheck['expect']): Check {
  const failure = `it is not so: ${text.title}`;
  return { ...base(text), failure, mode: 'automated', probe: { fact }, expect, where: [] } as Check;
}

export const CHECKS: readonly Check[] = [
  automated(
    { id: 'BYON-CTR-001', title: 'Root file system is read-only', severity: 'high' },
    'container.readOnlyRoot',
    {
      op: 'is',
      value: true,
    },
  ),
  automated(
    { id: 'BYON-CTR-002', title: 'Containers are not privileged', severity: 'critical', clause: '164.312(a)(1)' },
    'container.privileged',
    { op: 'is', value: false },
  ),
  automated({ id: 'BYON-CTR-003', title: 'Every capability is dropped' }, 'container.capabilitiesAdded', {
    op: 'empty',
  }),
  automated(
    {
      id: 'BYON-FIL-001',
      title: 'Files with keys are for their owner alone',
      target: 'data',
      clause: '164.312(a)(2)(iv)',
    },
    'file.mode',
    { op: 'bits-within', value: 0o600 },
  ),
  automated(
    {
      id: 'BYON-AUD-001',
      title: 'The audit log is whole',
      severity: 'critical',
      target: 'runtime',
      clause: '164.312(b)',
    },
    'node.auditIntegrity',
    { op: 'equals', value: 'ok' },
  ),
  automated(
    { id: 'BYON-NET-001', title: 'Gateway listens on one interface', target: 'config' },
    'node.gatewayAllInterfaces',
    {
      op: 'is',
      value: false,
    },
  ),
  automated(
    { id: 'BYON-HST-001', title: 'The disk is encrypted', target: 'host', severity: 'low' },
    'host.diskEncrypted',
    {
      op: 'is',
      value: true,
    },
  ),
  automated(
    { id: 'BYON-K8S-001', title: 'Traffic is denied by default', target: 'kubernetes' },
    'workload.defaultDeny',
    {
      op: 'is',
      value: true,
    },
  ),
  {
    ...base({
      id: 'BYON-ORG-001',
      title: 'Someone reviews the audit log',
      target: 'runtime',
      clause: '164.308(a)(1)(ii)(D)',
    }),
    mode: 'manual',
  } as Check,
];

const PROFILE: Profile = {
  name: 'node',
  title: 'The node as it stands',
  about: 'What a node can show of itself, wherever it runs.',
  threshold: 'medium',
  checks: CHECKS.map(({ id }) => id),
};

const FITNESS: Profile = {
  ...{ name: 'patient-data', title: 'Fit for patient data', about: 'Every critical check.', threshold: 'low' },
  checks: CHECKS.filter(({ severity }) => severity === 'critical').map(({ id }) => id),
};

export const BENCHMARK: Benchmark = {
  ...{ checks: CHECKS, profiles: [PROFILE, FITNESS], standards: [], digest: 'ab'.repeat(32) },
};

function subject(kind: SubjectKind, name: string, facts: Record<string, Observation>): Subject {
  return { kind, name, facts };
}

const value = (seen: boolean | number | string | readonly string[]): Observation => ({ value: seen });

/** One that holds and one that does not of most kinds; `good` for a node without a fault. */
export function exampleFacts(name: string, good = false): FactSet {
  const privilege = "read access to the engine's socket";
  const collected = (collector: string, kinds: readonly SubjectKind[]) =>
    ({ collector, kinds, adds: [], privilege, outcome: 'collected' }) as const;
  return {
    format: FACTS_FORMAT,
    collectedAt: '2026-11-23T10:00:00.000Z',
    tool: { name: 'nectar-byon', version: '0.1.0' },
    node: { id: '1f2e3d4c5b6a', target: 'docker', network: 'devnet' },
    collections: [
      collected('containers', ['container']),
      collected('files', ['file']),
      collected('node', ['node']),
      {
        collector: 'workloads',
        kinds: ['workload'],
        adds: [],
        privilege,
        outcome: 'not-applicable',
        reason: 'no cluster',
      },
      good
        ? collected('host', ['host'])
        : {
            collector: 'host',
            kinds: ['host'],
            adds: [],
            privilege: 'root',
            outcome: 'failed',
            reason: `EACCES ${name}`,
          },
    ],
    subjects: [
      subject('container', name, {
        'container.readOnlyRoot': value(good),
        'container.privileged': value(false),
        'container.capabilitiesAdded': value(
          good ? [] : [name, ...Array.from({ length: 99 }, (_, index) => `CAP_${index}`)],
        ),
      }),
      subject('container', 'nectar-store', {
        'container.readOnlyRoot': value(true),
        'container.privileged': value(false),
        'container.capabilitiesAdded': value([]),
      }),
      subject('file', 'keys.json', { 'file.mode': value(good ? 0o600 : 0o644) }),
      subject('node', 'node', {
        'node.auditIntegrity': good ? value('ok') : { error: `no answer from ${name}` },
        'node.gatewayAllInterfaces': value(!good),
      }),
      ...(good ? [subject('host', 'host', { 'host.diskEncrypted': value(true) })] : []),
    ],
  };
}

export const WAIVERS: readonly Waiver[] = [
  {
    check: 'BYON-NET-001',
    owner: `${HOSTILE} Dr. Ada`,
    reason: 'The clinic has one network only.',
    until: '2026-12-31',
    since: '2026-11-01T00:00:00.000Z',
  },
  {
    check: 'BYON-CTR-003',
    owner: 'IT',
    reason: 'Until the upgrade.',
    until: '2026-10-31',
    since: '2026-09-01T00:00:00.000Z',
  },
];

export const HISTORY: readonly HistoryEntry[] = [54, 61, 61, 73].map((score, index) => ({
  createdAt: `2026-11-${10 + index}T10:00:00.000Z`,
  profile: 'node',
  score,
  counts: { pass: index, fail: 4 - index, manual: 1, 'not-applicable': 1, waived: 0, error: 1 },
}));

/** A report with every verdict in it. */
export function exampleReport(name: string = HOSTILE): Report {
  return createReport({
    benchmark: BENCHMARK,
    profile: PROFILE,
    facts: exampleFacts(name.toWellFormed()),
    waivers: WAIVERS,
    history: HISTORY,
    now: () => Date.UTC(2026, 10, 23, 10, 0, 7),
  });
}

/** The report of the same node a day later, after everything was put right. */
export function goodReport(): Report {
  return createReport({
    benchmark: BENCHMARK,
    profile: PROFILE,
    facts: { ...exampleFacts('nectar-gateway', true), collectedAt: '2026-11-24T10:00:00.000Z' },
    waivers: [],
    history: HISTORY,
    now: () => Date.UTC(2026, 10, 24, 10, 0, 7),
  });
}
