import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { composeFile } from '../../../../cli/provision/docker/compose.ts';
import { CONTAINER_ROLES, type ContainerRole, KEY_FILE, LABELS } from '../../../../cli/provision/docker/role-table.ts';
import { containerFacts } from '../../../../hardening/collectors/container/containers.ts';
import { seccompDigest } from '../../../../hardening/collectors/container/seccomp.ts';
import { openDocument } from '../../../../hardening/collectors/document.ts';
import { evaluate } from '../../../../hardening/evaluate.ts';
import { FACTS_FORMAT, type FactSet } from '../../../../hardening/fact-set.ts';
import { checksOf, getProfile, loadBenchmark } from '../../../../hardening/load-benchmark.ts';
import { bodyOf, type Service } from '../../cli/docker/compose-reader.ts';
import { bodies, each, type Inspection, inspection, NODE_ID, seccomp, state } from './made-containers.ts';

const { services } = parse(composeFile(state, (role) => seccomp[role as ContainerRole])) as {
  services: Record<ContainerRole, Service>;
};
const SPEC = LABELS.spec;

/** What Compose adds to a container of its own accord: labels, the name of the service on the network, and that it attaches. */
function composed(role: ContainerRole): Inspection {
  const made = inspection(role, bodyOf(services[role]));
  const labels = made.Config.Labels as Record<string, string>;
  for (const label of ['project', 'service', 'container-number', 'oneoff', 'config-hash', 'version'])
    labels[`com.docker.compose.${label}`] = role;
  Object.assign(made.Config, { AttachStdout: true, AttachStderr: true });
  for (const network of Object.values(made.NetworkSettings.Networks))
    network.Aliases = [String(services[role].container_name), role, 'd04a5cd346b2'];
  return made;
}

function factsOf(change: (made: Inspection) => void): FactSet {
  const node = { nodeId: NODE_ID, prefix: 'nectar-1f2e3d4c-', roles: CONTAINER_ROLES, labels: LABELS };
  const context = {
    seccomp: each((one) => seccompDigest(JSON.parse(seccomp[one]))),
    specs: each((one) => String((services[one].labels as Record<string, string>)[SPEC])),
    ...{ bodies, keyFileTarget: KEY_FILE },
  };
  const subjects = CONTAINER_ROLES.map((role) => {
    const made = composed(role);
    change(made);
    const facts = containerFacts({ engine: 'docker', document: openDocument(made), node, role, context });
    return { kind: 'container' as const, name: role, facts };
  });
  const running = { kind: 'node' as const, name: 'node', facts: { 'node.state': { value: 'running' } } };
  const collector = {
    collector: 'containers',
    kinds: ['container' as const, 'node' as const],
    adds: [],
    privilege: 'the engine',
  };
  return {
    ...{
      format: FACTS_FORMAT,
      collectedAt: '2026-11-30T14:00:00.000Z',
      tool: { name: 'nectar-byon', version: '0.1.0' },
    },
    node: { id: NODE_ID, target: 'docker', network: 'devnet' },
    collections: [{ ...collector, outcome: 'collected' }],
    subjects: [...subjects, running],
  };
}

const benchmark = loadBenchmark();
/** What the engine's answer alone shows; the rest is seen from within, or of other containers. */
const ELSEWHERE = ['container.sshServer', 'container.namespaceGuests', 'container.writtenPaths'];
const checks = checksOf(benchmark, getProfile(benchmark, 'node')).filter(
  (check) =>
    check.mode === 'automated' && check.probe.fact.startsWith('container.') && !ELSEWHERE.includes(check.probe.fact),
);

function badOf(change: (made: Inspection) => void = () => undefined): string[] {
  return evaluate(checks, factsOf(change))
    .filter(({ verdict }) => verdict === 'fail' || verdict === 'error')
    .map(({ check, verdict }) => `${check} ${verdict}`);
}

test('containers that Compose makes of the file that we write pass the profile that holds everywhere', () => {
  assert.ok(checks.length > 40, `${checks.length} checks`);
  assert.deepEqual(badOf(), []);
});

test('on cgroup v1, where Compose 1.29 cannot ask for a cgroup namespace, its own check alone says so', () => {
  assert.deepEqual(
    badOf((made) => void Object.assign(made.HostConfig, { CgroupnsMode: 'host' })),
    ['BYON-CTR-023 fail'],
  );
});

test('what somebody adds to the file is drift', () => {
  assert.deepEqual(
    badOf((made) => void Object.assign(made.HostConfig, { ExtraHosts: ['l1.example:10.0.0.66'] })),
    ['BYON-CTR-091 fail'],
  );
});
