import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBody, networkBody } from '../../../../cli/provision/docker/create-body.ts';
import { type ContainerSpec, desiredState } from '../../../../cli/provision/docker/desired-state.ts';
import { CONTAINER_ROLES, type ContainerRole, LABELS } from '../../../../cli/provision/docker/role-table.ts';
import { exampleSpec } from './node-spec-example.ts';

const state = desiredState(exampleSpec());
const bodies = state.containers.map((spec) => createBody(spec));
const host = bodies.map((body) => body.HostConfig ?? {});

function specOf(role: ContainerRole, from = state): ContainerSpec {
  const found = from.containers.find((spec) => spec.role === role);
  assert.ok(found);
  return found;
}

const targets = (role: ContainerRole): string[] => specOf(role).mounts.map(({ target }) => target);

test('runs every role as a user and a group of its own, none of them root', () => {
  const users = bodies.map(({ User }) => User);
  assert.deepEqual(users, ['64003:64003', '64002:64002', '64004:64004', '64001:64001']);
  assert.equal(new Set(users).size, 4);
});

test('makes the root file system read-only', () => {
  assert.ok(host.every(({ ReadonlyRootfs }) => ReadonlyRootfs === true));
});

test('drops every capability and adds none', () => {
  for (const { CapDrop, CapAdd, Privileged } of host) {
    assert.deepEqual(CapDrop, ['ALL']);
    assert.equal(CapAdd, undefined);
    assert.equal(Privileged, false);
  }
});

test('forbids new privileges', () => {
  assert.ok(host.every(({ SecurityOpt }) => (SecurityOpt as string[]).includes('no-new-privileges:true')));
});

test('gives every role its own seccomp profile, by content', () => {
  for (const [index, role] of CONTAINER_ROLES.entries()) {
    const option = ((host[index]?.SecurityOpt ?? []) as string[]).find((text) => text.startsWith('seccomp='));
    assert.equal(JSON.parse(option?.slice('seccomp='.length) ?? '').role, role);
  }
});

test('shares no namespace with the host or another container', () => {
  for (const { NetworkMode, PidMode, IpcMode, UTSMode, UsernsMode, Cgroup } of host) {
    assert.notEqual(NetworkMode, 'host');
    assert.equal(IpcMode, 'private');
    for (const mode of [PidMode, UTSMode, UsernsMode, Cgroup]) assert.equal(mode, undefined);
  }
  assert.ok(host.every((body) => 'CgroupnsMode' in body && body.CgroupnsMode === 'private'));
});

test('gives store and audit no network at all, and the others one of their own each', () => {
  assert.deepEqual(
    host.map(({ NetworkMode }) => NetworkMode),
    ['none', 'none', 'nectar-01234567-wan', 'nectar-01234567-lan'],
  );
  assert.ok(
    state.networks.every((spec) => networkBody(spec).Options['com.docker.network.bridge.enable_icc'] === 'false'),
  );
});

test('binds ports to the chosen addresses only', () => {
  assert.deepEqual(specOf('gateway').ports, [{ host: '192.0.2.7', port: 8443, containerPort: 8443 }]);
  const metrics = { host: '127.0.0.1', port: 9100 };
  const watched = desiredState(exampleSpec({ metrics })).containers;
  assert.deepEqual(
    watched.flatMap(({ role, ports }) => ports.flatMap((port) => (port.containerPort === 9464 ? [[role, port]] : []))),
    [['gateway', { ...metrics, containerPort: 9464 }]],
  );
  assert.deepEqual(bodies[3]?.HostConfig?.PortBindings, { '8443/tcp': [{ HostIp: '192.0.2.7', HostPort: '8443' }] });
  assert.deepEqual(bodies[2]?.HostConfig?.PortBindings, { '4640/tcp': [{ HostIp: '0.0.0.0', HostPort: '4640' }] });
  for (const role of ['store', 'audit'] as const) assert.deepEqual(specOf(role).ports, []);
});

test('limits memory, swap, CPU, processes and open files of every role', () => {
  for (const { Memory, MemorySwap, NanoCpus, PidsLimit, Ulimits } of host) {
    assert.ok((Memory ?? 0) >= 256 * 1024 ** 2);
    assert.equal(MemorySwap, Memory, 'keys are never swapped out');
    assert.ok((NanoCpus ?? 0) >= 1e9);
    assert.ok((PidsLimit ?? 0) > 0);
    assert.deepEqual(
      Ulimits?.map(({ Name }) => Name),
      ['core', 'nofile', 'nproc'],
    );
  }
});

test('takes limits of one role from the target, and keeps the defaults of the others', () => {
  const changed = desiredState(exampleSpec({ limits: { store: { memoryBytes: 1024 ** 3 } } }));
  assert.equal(specOf('store', changed).limits.memoryBytes, 1024 ** 3);
  assert.equal(specOf('store', changed).limits.pids, specOf('store').limits.pids);
  assert.deepEqual(specOf('audit', changed).limits, specOf('audit').limits);
});

test('writes to nothing that can hold a program: tmpfs without exec, setuid and devices', () => {
  for (const { Tmpfs } of host) {
    assert.deepEqual(Object.keys(Tmpfs ?? {}), ['/tmp']);
    for (const options of Object.values(Tmpfs ?? {})) assert.match(options, /noexec,nosuid,nodev,size=16m/);
  }
  for (const { options } of state.volumes.filter(({ name }) => /sock-|health-/.test(name))) {
    assert.equal(options.type, 'tmpfs');
    assert.match(options.o ?? '', /noexec,nosuid,nodev/);
  }
});

test('mounts into each role exactly what the table gives it', () => {
  assert.deepEqual(targets('gateway').sort(), [
    '/nectar/config',
    '/nectar/gateway',
    '/run/nectar/audit-append',
    '/run/nectar/audit-read',
    '/run/nectar/health',
    '/run/nectar/rollup',
    '/run/nectar/store',
  ]);
  assert.deepEqual(targets('store').sort(), [
    '/nectar/config',
    '/nectar/keys',
    '/nectar/store',
    '/run/nectar/audit-append',
    '/run/nectar/audit-keys',
    '/run/nectar/blocks',
    '/run/nectar/health',
    '/run/nectar/store',
    '/run/secrets/root-key',
  ]);
  assert.deepEqual(targets('audit').sort(), [
    '/nectar/audit',
    '/nectar/config',
    '/run/nectar/audit-append',
    '/run/nectar/audit-keys',
    '/run/nectar/audit-read',
    '/run/nectar/health',
  ]);
  assert.deepEqual(targets('rollup').sort(), [
    '/nectar/config',
    '/nectar/rollup',
    '/run/nectar/audit-append',
    '/run/nectar/blocks',
    '/run/nectar/health',
    '/run/nectar/rollup',
  ]);
});

test('mounts the keys and the key file into the store alone, and the engine socket nowhere', () => {
  const all = state.containers.flatMap((spec) => spec.mounts.map((mount) => ({ role: spec.role, ...mount })));
  const secret = all.filter(({ source }) => source === '/vault/root.key' || source.endsWith('-keys'));
  assert.deepEqual([...new Set(secret.map(({ role }) => role))].sort(), ['audit', 'store']);
  assert.deepEqual(
    secret.filter(({ role }) => role === 'audit').map(({ target }) => target),
    ['/run/nectar/audit-keys'],
    'a directory of sockets, no key',
  );
  assert.ok(all.every(({ source }) => !source.includes('docker.sock')));
  assert.deepEqual(
    all.filter(({ kind }) => kind === 'bind').map(({ target }) => target),
    ['/run/secrets/root-key'],
  );
});

test('mounts configuration, key file and the sockets of others read-only', () => {
  for (const spec of state.containers) {
    for (const { target, readOnly, source } of spec.mounts) {
      const ownSocket = state.volumes.find(({ name }) => name === source)?.labels[LABELS.role] === spec.role;
      const expected = target === '/nectar/config' || target === '/run/secrets/root-key' || !ownSocket;
      assert.equal(readOnly, expected, `${spec.role} ${target}`);
    }
  }
});

test('lets only the server of a crossing make sockets in its directory, and its group connect', () => {
  const owners = Object.fromEntries(
    state.volumes.filter(({ name }) => name.includes('-sock-')).map(({ name, options }) => [name.slice(21), options.o]),
  );
  assert.match(owners['audit-append'] ?? '', /^uid=64003,gid=64000,mode=2770,/);
  assert.match(owners.blocks ?? '', /^uid=64002,gid=64000,mode=2770,/);
  assert.match(owners.rollup ?? '', /^uid=64004,gid=64000,mode=2770,/);
  assert.ok(host.every(({ GroupAdd }) => GroupAdd?.join() === '64000'));
});

test('has no secret in the environment, arguments or labels', () => {
  for (const { Env, Cmd, Labels } of bodies) {
    assert.deepEqual(Env, ['NECTAR_SOCKETS=/run/nectar']);
    assert.equal(Cmd?.length, 4);
    assert.deepEqual(Object.keys(Labels ?? {}).sort(), Object.values(LABELS).sort());
  }
});

test('pins images by id', () => {
  assert.ok(bodies.every(({ Image }) => /^sha256:[0-9a-f]{64}$/.test(Image ?? '')));
});

test('restarts, rotates its logs, and checks its health without a shell', () => {
  for (const [index, role] of CONTAINER_ROLES.entries()) {
    assert.deepEqual(host[index]?.RestartPolicy, { Name: 'unless-stopped' });
    assert.deepEqual(host[index]?.LogConfig, { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } });
    const test = bodies[index]?.Healthcheck?.Test;
    assert.deepEqual(test, ['CMD', '/nodejs/bin/node', '/app/main.mjs', 'healthcheck', role, '--home', '/nectar']);
    assert.equal(host[index]?.Init, false);
    const { Interval = 0, Timeout = 0, Retries = 0 } = bodies[index]?.Healthcheck ?? {};
    assert.ok(Interval >= 20e9, 'the checks of an idle node take little of a core');
    assert.ok((Interval + Timeout) * Retries <= 60e9, 'one that hangs shows');
  }
});

test('labels every object with the node, the role and the version', () => {
  for (const { labels } of [...state.networks, ...state.volumes, ...state.containers]) {
    assert.equal(labels[LABELS.node], '0123456789abcdef0123456789abcdef');
    assert.equal(labels[LABELS.version], '1.2.3');
    assert.ok((labels[LABELS.role] ?? '').length > 0);
  }
});

test('gives the same objects for the same node, and another specification only to what changed', () => {
  assert.deepEqual(desiredState(exampleSpec()), state);
  const specs = (of: typeof state) => of.containers.map(({ labels }) => labels[LABELS.spec]);
  const changed = desiredState(exampleSpec({ gateway: { host: '192.0.2.8', port: 8443 } }));
  const differ = specs(changed).map((spec, index) => spec !== specs(state)[index]);
  assert.deepEqual(differ, [false, false, false, true]);
});

test('mounts no key file where a passphrase opens the node', () => {
  const locked = desiredState(exampleSpec({ keyFile: undefined }));
  assert.ok(specOf('store', locked).mounts.every(({ kind }) => kind === 'volume'));
});
