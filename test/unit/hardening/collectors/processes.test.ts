import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { build } from 'esbuild';
import type { EngineApi, EngineNode } from '../../../../hardening/collectors/engine-api.ts';
import { capabilityNames } from '../../../../hardening/collectors/process/capabilities.ts';
import { readHostNamespaces } from '../../../../hardening/collectors/process/host-namespaces.ts';
import { mountOf, parseMountInfo } from '../../../../hardening/collectors/process/mount-info.ts';
import { bound, listening } from '../../../../hardening/collectors/process/proc-net.ts';
import { type HostNamespaces, processFacts } from '../../../../hardening/collectors/process/process-facts.ts';
import {
  createContainerProcessesCollector,
  createLocalProcessCollector,
} from '../../../../hardening/collectors/process/processes.ts';
import { parseRawProcess, type RawProcess } from '../../../../hardening/collectors/process/raw-process.ts';
import { processProgram } from '../../../../hardening/collectors/process/read-process.ts';
import type { Observation } from '../../../../hardening/fact-set.ts';

const signal = new AbortController().signal;
const text = (name: string): string =>
  readFileSync(new URL(`./recorded/process-${name}.json`, import.meta.url), 'utf8');
const recorded = (name: 'hard' | 'weak'): RawProcess => parseRawProcess(text(name));

/** The machine on which both were recorded. */
const host: HostNamespaces = {
  value: {
    bootId: '16037be3-f352-44c8-b0e9-cd7a783a6af5',
    namespaces: {
      mnt: 'mnt:[4026531832]',
      pid: 'pid:[4026531836]',
      net: 'net:[4026531833]',
      ipc: 'ipc:[4026531839]',
      uts: 'uts:[4026531838]',
      user: 'user:[4026531837]',
      cgroup: 'cgroup:[4026531835]',
    },
  },
};

function assertFacts(found: Readonly<Record<string, Observation>>, wanted: Readonly<Record<string, unknown>>): void {
  for (const [fact, value] of Object.entries(wanted)) assert.deepEqual(found[`process.${fact}`], { value }, fact);
}

test('reads a confined process as its kernel shows it', () => {
  assertFacts(processFacts(recorded('hard'), 'gateway', host), {
    role: 'gateway',
    uids: ['64002'],
    root: false,
    groups: ['64000', '64002'],
    capabilitiesEffective: [],
    capabilitiesPermitted: [],
    capabilitiesInheritable: [],
    capabilitiesBounding: [],
    capabilitiesAmbient: [],
    noNewPrivs: true,
    seccompMode: 2,
    seccompFilters: 1,
    appArmor: '',
    rootReadOnly: true,
    writableMounts: ['/tmp'],
    execWritableMounts: [],
    hostNamespaces: ['user'],
    networkInterfaces: ['lo'],
    tcpListeners: ['127.0.0.1:18443'],
    udpSockets: [],
    openFilesSoft: 16384,
    coreLimitBytes: 0,
    lockedMemoryBytes: 0,
    swappedBytes: 0,
    traced: false,
    debugPort: false,
    secretsInEnvironment: [],
    secretsInArguments: false,
    executableWritable: false,
    deletedExecutable: false,
    children: [],
    umask: 0o022,
    nodeVersion: '24.21.0',
    nodeOptions: [],
  });
});

test('reads a process that nothing keeps in', () => {
  const found = processFacts(recorded('weak'), 'gateway', host);
  assertFacts(found, {
    root: true,
    noNewPrivs: false,
    seccompMode: 0,
    rootReadOnly: false,
    hostNamespaces: ['cgroup', 'ipc', 'net', 'pid', 'user', 'uts'],
    tcpListeners: ['127.0.0.1:18443', '127.0.0.1:9339'],
    coreLimitBytes: 1_000_000,
    debugPort: true,
    secretsInEnvironment: ['DB_PASSWORD'],
    secretsInArguments: true,
    executableWritable: true,
    nodeOptions: ['--insecure-http-parser', '--inspect', 'NODE_TLS_REJECT_UNAUTHORIZED=0'],
  });
  const { value } = found['process.capabilitiesEffective'] as { value: string[] };
  assert.ok(value.includes('SYS_ADMIN') && value.includes('NET_RAW'));
  const { value: mounts } = found['process.execWritableMounts'] as { value: string[] };
  assert.ok(mounts.includes('/') && mounts.includes('/etc/hosts'));
});

test('knows who may write the program: its owner, its group, everybody, or who overrides modes', () => {
  const writable = (owner: { mode: number; uid: number; gid: number }): unknown => {
    const raw = recorded('weak');
    const status = text('hard');
    const confined = { ...raw, status: (JSON.parse(status) as RawProcess).status };
    return processFacts({ ...confined, files: { value: [{ path: '/app/main.mjs', owner }] } }, 'store', host)[
      'process.executableWritable'
    ];
  };
  assert.deepEqual(writable({ mode: 0o100644, uid: 0, gid: 0 }), { value: false });
  assert.deepEqual(writable({ mode: 0o100444, uid: 64002, gid: 0 }), { value: true });
  assert.deepEqual(writable({ mode: 0o100664, uid: 0, gid: 64000 }), { value: true });
  assert.deepEqual(writable({ mode: 0o100644, uid: 0, gid: 64000 }), { value: false });
  assert.deepEqual(writable({ mode: 0o100646, uid: 0, gid: 0 }), { value: true });
});

test('takes what is gone for replaced', () => {
  const raw = recorded('hard');
  const gone = (changed: Partial<RawProcess>): unknown =>
    processFacts({ ...raw, ...changed }, 'store', host)['process.deletedExecutable'];
  assert.deepEqual(gone({ executable: { value: '/nodejs/bin/node (deleted)' } }), { value: true });
  assert.deepEqual(gone({ files: { value: [{ path: '/app/main.mjs' }] } }), { value: true });
});

test('reads labels of AppArmor, and takes no context of SELinux for one', () => {
  const label = (read: RawProcess['label']): unknown =>
    processFacts({ ...recorded('hard'), label: read }, 'store', host)['process.appArmor'];
  assert.deepEqual(label({ value: 'docker-default (enforce)\n' }), { value: 'docker-default (enforce)' });
  assert.deepEqual(label({ value: 'unconfined\n' }), { value: 'unconfined' });
  assert.deepEqual(label({ value: 'system_u:system_r:container_t:s0:c1,c2\0' }), { value: '' });
  assert.deepEqual(label({ error: 'EINVAL' }), { value: '' });
  assert.ok('error' in (label({ error: 'EACCES' }) as object));
});

test('says why it did not see, and never less', () => {
  const raw = recorded('hard');
  const elsewhere = processFacts({ ...raw, bootId: { value: 'another' } }, 'store', host)['process.hostNamespaces'];
  assert.match((elsewhere as { error: string }).error, /another machine/);
  const unknown = processFacts(raw, 'store', { error: 'in a container' })['process.hostNamespaces'];
  assert.match((unknown as { error: string }).error, /in a container/);
  const blind = processFacts({ ...raw, status: { error: 'EACCES' }, sockets: { error: 'EACCES' } }, 'store', host);
  for (const fact of ['uids', 'root', 'seccompMode', 'tcpListeners', 'debugPort', 'memoryBytes'] as const) {
    assert.match((blind[`process.${fact}`] as { error: string }).error, /EACCES/, fact);
  }
  const old = { value: (raw.status as { value: string }).value.replace(/^Seccomp_filters.*\n/m, '') };
  assert.ok('error' in processFacts({ ...raw, status: old }, 'store', host)['process.seccompFilters']);
});

test('refuses what a container says instead of what it was asked', () => {
  assert.throws(() => parseRawProcess('{}'), /something else/);
  assert.throws(() => parseRawProcess('no JSON'));
  const raw = JSON.parse(text('hard')) as Record<string, unknown>;
  assert.throws(() => parseRawProcess(JSON.stringify({ ...raw, children: { value: [1] } })), /something else/);
});

test('decodes addresses, capabilities and mounts as the kernel writes them', () => {
  const line = (local: string, state: string): string => `   0: ${local} 00000000:0000 ${state} 0:0 0:0 0 0 0 123 1`;
  assert.deepEqual(listening([line('0100007F:20FB', '0A'), line('0100007F:9999', '01')]), ['127.0.0.1:8443']);
  assert.deepEqual(listening([line('00000000000000000000000001000000:1F90', '0A')]), ['[::1]:8080']);
  assert.deepEqual(listening([line('B80D0120000000000000000001000000:1F90', '0A')]), ['[2001:db8::1]:8080']);
  assert.deepEqual(bound([line('00000000:0035', '07')]), ['0.0.0.0:53']);
  assert.throws(() => listening(['nonsense']));
  assert.deepEqual(capabilityNames('0000000000000401'), ['CHOWN', 'NET_BIND_SERVICE']);
  assert.deepEqual(capabilityNames('8000000000000000'), ['BIT_63']);
  assert.throws(() => capabilityNames('xyz'));
  const mounts = parseMountInfo(
    [
      '1 0 0:1 / / rw,relatime - ext4 /dev/a rw',
      '2 1 0:2 / /data\\040set rw,noexec - ext4 /dev/b ro',
      '3 1 0:3 / /over rw - tmpfs tmpfs rw',
      '4 3 0:4 / /over ro shared:1 master:2 - tmpfs tmpfs rw',
      '',
    ].join('\n'),
  );
  assert.deepEqual(mounts, [
    { point: '/', readOnly: false, noexec: false },
    { point: '/data set', readOnly: true, noexec: true },
    { point: '/over', readOnly: true, noexec: false },
  ]);
  assert.equal(mountOf('/over/x', mounts)?.point, '/over');
  assert.equal(mountOf('/overt', mounts)?.point, '/');
  assert.throws(() => parseMountInfo('nonsense'));
});

/** A node that listens, in an environment with a secret, from a program file of its own. */
async function startChild(
  context: TestContext,
): Promise<{ readonly child: ChildProcess; readonly port: string; readonly script: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-process-'));
  const script = join(folder, 'main.mjs');
  writeFileSync(
    script,
    `import { createServer } from 'node:net';
     const server = createServer().listen(0, '127.0.0.1', () => console.log(server.address().port));`,
  );
  const child = spawn(process.execPath, ['--report-on-signal', script, '--password', 'hunter2!'], {
    env: { DB_PASSWORD: 'hunter2!', HOME: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.after(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const [chunk] = (await once(child.stdout ?? child, 'data')) as [Buffer];
  return { child, port: chunk.toString().trim(), script };
}

test('sees a real process: its socket, its secrets, its options, its program', async (context) => {
  const { child, port, script } = await startChild(context);
  const collector = createLocalProcessCollector({ pid: child.pid, role: 'all' });
  const [subject] = await collector.collect(signal);
  assert.equal(subject?.name, 'all');
  assertFacts(subject.facts, {
    role: 'all',
    uids: [String(process.getuid?.())],
    tcpListeners: [`127.0.0.1:${port}`],
    secretsInEnvironment: ['DB_PASSWORD'],
    secretsInArguments: true,
    nodeOptions: ['--report-on-signal'],
    nodeVersion: process.versions.node,
    deletedExecutable: false,
    // Its owner is who runs the test.
    executableWritable: true,
    debugPort: false,
    children: [],
  });
  rmSync(script);
  const [later] = await collector.collect(signal);
  assertFacts(later?.facts ?? {}, { deletedExecutable: true });
});

test('gives the same by the program that runs in a container, and lets no value out', async (context) => {
  const { child, port } = await startChild(context);
  const stdout = execFileSync(process.execPath, ['--input-type=module', '-e', processProgram(child.pid ?? 0)], {
    encoding: 'utf8',
    env: {},
  });
  assert.doesNotMatch(stdout, /hunter2/);
  assertFacts(processFacts(parseRawProcess(stdout), 'store', readHostNamespaces(fs)), {
    tcpListeners: [`127.0.0.1:${port}`],
    secretsInEnvironment: ['DB_PASSWORD'],
    secretsInArguments: true,
  });
});

test('still runs in a container when the program is a bundle, where names are others', async () => {
  const entry = new URL('../../../../hardening/collectors/process/read-process.ts', import.meta.url).pathname;
  // A second one of each name, so that the bundler must rename.
  const contents = `export { processProgram } from ${JSON.stringify(entry)};
    export function readText() {} export function attempt() {} export function looksLikeSecret() {}`;
  for (const minify of [false, true]) {
    const stdin = { contents, resolveDir: '/', loader: 'ts' } as const;
    const built = await build({
      stdin,
      bundle: true,
      minify,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      write: false,
    });
    const url = `data:text/javascript,${encodeURIComponent(built.outputFiles[0]?.text ?? '')}`;
    const { processProgram: program } = (await import(url)) as { processProgram: typeof processProgram };
    const child = ['--input-type=module', '-e', program(process.pid)];
    const raw = parseRawProcess(execFileSync(process.execPath, child, { encoding: 'utf8' }));
    assert.deepEqual(
      Object.entries(raw).filter(([, read]) => 'error' in read && /is not (defined|a function)/.test(read.error)),
      [],
    );
    assert.ok('value' in raw.secretsInEnvironment && 'value' in raw.weakOptions && 'value' in raw.openPaths);
  }
});

test('fails where the process is gone, and has nothing to see where none runs', async () => {
  assert.equal(createLocalProcessCollector({ pid: undefined, role: 'all' }).notApplicable, 'the node does not run');
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  await assert.rejects(async () => createLocalProcessCollector({ pid: child.pid, role: 'all' }).collect(signal));
});

const node: EngineNode = {
  nodeId: 'f'.repeat(32),
  prefix: 'nectar-ffffffff-',
  roles: ['gateway', 'store'],
  labels: { node: 'n', role: 'r', version: 'v', spec: 's' },
};

function engine(exec: EngineApi['exec'], pidMode = ''): EngineApi {
  const item = (role: string, Id: string, State: string): object => ({
    Id,
    Names: [`/${node.prefix}${role}`],
    Labels: { r: role },
    State,
  });
  return {
    getJson: async (path) =>
      path.includes('/json?')
        ? [item('store', 'aa', 'running'), item('gateway', 'bb', 'exited')]
        : { HostConfig: { PidMode: pidMode }, State: { Pid: 4711 } },
    getStream: async () => undefined,
    exec,
  };
}

test('sees a path of /proc that its engine does not hide', async () => {
  const raw = { ...recorded('hard'), openPaths: { value: ['/proc/kcore'] } };
  const exec = async () => ({ stdout: JSON.stringify(raw), exitCode: 0 });
  const collector = createContainerProcessesCollector({ api: engine(exec), node, nodeBinary: 'node', host });
  const subjects = await collector.collect(signal);
  assert.deepEqual(subjects[2]?.facts['container.procMount'], { value: 'Unmasked' });
});

test('looks into the containers that run, and tells an SSH server', async () => {
  const seen: string[][] = [];
  const raw = { ...recorded('hard'), neighbours: { value: ['node', 'sshd'] } };
  const collector = createContainerProcessesCollector({
    api: engine(async (_id, argv) => {
      seen.push([...argv]);
      return { stdout: JSON.stringify(raw), exitCode: 0 };
    }),
    node,
    nodeBinary: '/nodejs/bin/node',
    host,
  });
  const subjects = await collector.collect(signal);
  assert.deepEqual(
    subjects.map(({ kind, name }) => `${kind} ${name}`),
    ['container nectar-ffffffff-gateway', 'process nectar-ffffffff-store', 'container nectar-ffffffff-store'],
  );
  assert.deepEqual(subjects[0]?.facts, { 'container.sshServer': { absent: 'it does not run' } });
  assert.deepEqual(subjects[2]?.facts, {
    'container.sshServer': { value: true },
    'container.procMount': { value: 'Default' },
  });
  assert.deepEqual(seen[0]?.slice(0, 3), ['/nodejs/bin/node', '--input-type=module', '-e']);
});

test('follows a container into the process namespace of its host', async () => {
  const seen: string[] = [];
  const api = engine(async (_id, argv) => {
    seen.push(argv[3] ?? '');
    return { stdout: text('weak'), exitCode: 0 };
  }, 'host');
  const subjects = await createContainerProcessesCollector({ api, node, nodeBinary: 'node', host }).collect(signal);
  assert.match(seen[0] ?? '', /path: '\/proc\/4711'/);
  assert.ok('error' in (subjects[2]?.facts['container.sshServer'] ?? {}));
});

test('makes every fact of a container an error when it may not look into it', async () => {
  for (const exec of [
    async () => ({ stdout: '', exitCode: 126 }),
    async () => Promise.reject(new Error('refused')),
    async () => ({ stdout: '{"status":1}', exitCode: 0 }),
  ]) {
    const collector = createContainerProcessesCollector({ api: engine(exec), node, nodeBinary: 'node', host });
    const process = (await collector.collect(signal)).find(({ kind }) => kind === 'process');
    assert.deepEqual(process?.facts['process.role'], { value: 'store' });
    for (const [fact, observation] of Object.entries(process?.facts ?? {})) {
      if (fact !== 'process.role') assert.ok('error' in observation, fact);
    }
  }
});

test('takes its own namespaces for the host only outside of a container', () => {
  const links = (pid: string, user: string) => ({
    readFileSync: () => 'boot\n',
    readlinkSync: (path: string) => {
      const [, , who, , name] = path.split('/');
      if (who === '1') throw new Error('EPERM');
      return name === 'pid' ? pid : name === 'user' ? user : `${name}:[1]`;
    },
  });
  const outside = readHostNamespaces(links('pid:[4026531836]', 'user:[4026531837]'));
  assert.equal('value' in outside && outside.value.namespaces.net, 'net:[1]');
  assert.ok('error' in readHostNamespaces(links('pid:[4026532000]', 'user:[4026531837]')));
});

test('sees a debugger that listens without an option', () => {
  const sockets = { value: { tcp: ['0: 0100007F:240D 00000000:0000 0A 0:0 0:0 0 0 0 1 1'], tcp6: [] } };
  const found = processFacts({ ...recorded('hard'), sockets }, 'store', host);
  assertFacts(found, { debugPort: true, tcpListeners: ['127.0.0.1:9229'] });
});
