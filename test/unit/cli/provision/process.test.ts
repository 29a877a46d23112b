import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs, { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, mock, test } from 'node:test';
import { findFreePort, isPortFree } from '../../../../cli/provision/process/free-port.ts';
import { rotateLog } from '../../../../cli/provision/process/node-log.ts';
import { planHome } from '../../../../cli/provision/process/plan-home.ts';
import { readRunning, runningPath, startTicksOf, writeRunning } from '../../../../cli/provision/process/running.ts';
import { findFailure } from '../../../../cli/provision/process/start-failure.ts';
import { stopProcess } from '../../../../cli/provision/process/stop-node.ts';
import { fakeTerminal } from '../capture.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-process-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const { signal } = new AbortController();
const home = (name: string): string => {
  const path = join(folder, name);
  mkdirSync(join(path, 'run'), { recursive: true });
  return path;
};

test('knows the process that runs a home, and no other one that got its number', () => {
  const at = home('running');
  assert.equal(readRunning(at), undefined);
  writeRunning(at, 'https://127.0.0.1:1');
  assert.deepEqual([readRunning(at)?.pid, readRunning(at)?.gateway], [process.pid, 'https://127.0.0.1:1']);
  const reused = { ...JSON.parse(readFileSync(runningPath(at), 'utf8')), startTicks: '1' };
  writeFileSync(runningPath(at), JSON.stringify(reused));
  assert.equal(readRunning(at), undefined);
  for (const bad of ['', '{', 'null', '{"pid":"1"}', '{"pid":0}', '{"pid":1}', '{"pid":-5}', '{"pid":2147483646}']) {
    writeFileSync(runningPath(at), bad);
    assert.equal(readRunning(at), undefined, bad);
  }
});

test('stops by SIGTERM, and kills what does not end in time', async () => {
  for (const [script, killed] of [
    ['process.on("SIGTERM", () => process.exit(0))', false],
    ['process.on("SIGTERM", () => {})', true],
  ] as const) {
    const at = home(`stop-${killed}`);
    const child = spawn(process.execPath, ['-e', `${script}; setInterval(() => {}, 1000); console.log("up")`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const pid = child.pid ?? 0;
    writeFileSync(runningPath(at), JSON.stringify({ pid, startTicks: startTicksOf(pid), startedAt: '' }));
    assert.deepEqual(await stopProcess(at, { signal, timeoutMs: 400 }), { wasRunning: true, killed });
    assert.ok(!existsSync(runningPath(at)));
  }
  assert.deepEqual(await stopProcess(home('stop-none'), { signal }), { wasRunning: false, killed: false });
});

test('tells why a process ended, from what it wrote since its start', () => {
  const log = join(folder, 'failure.log');
  assert.equal(findFailure(log, 0), undefined);
  writeFileSync(
    log,
    '{"level":"info","msg":"old"}\n{"error":{"code":"NODE_DISK_FULL","message":"m","data":{"path":"/old"}}}\n',
  );
  const from = readFileSync(log).length;
  assert.equal(findFailure(log, from), undefined);
  const write = (line: string) => writeFileSync(log, `${line}\n`, { flag: 'a' });
  write('{"level":"info","msg":"starting"}');
  write('{"error":{"code":"GATEWAY_PORT_IN_USE","message":"m","data":{"host":"127.0.0.1","port":8443}}}');
  assert.deepEqual(
    [findFailure(log, from)?.code, findFailure(log, from)?.data],
    ['GATEWAY_PORT_IN_USE', { host: '127.0.0.1', port: 8443 }],
  );
  write('{"error":{"code":"OF_ANOTHER_VERSION","message":"what it says"}}');
  assert.match(findFailure(log, from)?.message ?? '', /what it says/);
  write('Segmentation fault');
  assert.match(findFailure(log, from)?.message ?? '', /Segmentation fault/);
});

test('rotates a large log and keeps three old ones', () => {
  const log = join(folder, 'logs', 'node.log');
  mkdirSync(join(folder, 'logs'));
  for (let round = 1; round <= 5; round += 1) {
    writeFileSync(log, Buffer.alloc(16 * 1024 * 1024, round));
    rotateLog(log);
  }
  assert.deepEqual(readdirSync(join(folder, 'logs')), ['node.log.1', 'node.log.2', 'node.log.3']);
  assert.deepEqual(
    [1, 2, 3].map((number) => readFileSync(`${log}.${number}`)[0]),
    [5, 4, 3],
  );
  writeFileSync(log, 'small');
  rotateLog(log);
  assert.equal(readFileSync(log, 'utf8'), 'small');
});

test('finds a free port, past taken ones', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  assert.equal(await isPortFree(port), false);
  const found = await findFreePort(port);
  assert.notEqual(found, port);
  assert.notEqual(await findFreePort(found, { taken: [found] }), found);
  server.close();
});

test('a plan names every file, port and process, and changes nothing', async () => {
  const { terminal } = fakeTerminal({ env: { XDG_CONFIG_HOME: join(folder, 'config') } });
  const at = join(folder, 'planned');
  const before = readdirSync(folder);
  const plan = await planHome(
    {
      home: at,
      network: 'devnet',
      devnet: join(folder, 'devnet'),
      unlock: 'file',
      keyFile: undefined,
      host: '127.0.0.1',
      port: 0,
      p2pPort: 0,
    },
    terminal,
  );
  assert.deepEqual(readdirSync(folder), before);
  assert.match(plan.keyFile ?? '', /config\/nectar-byon\/[0-9a-f]{16}\.key$/);
  assert.ok(
    plan.files.some(([path]) => path === join(at, 'keys.json')) && plan.files.some(([path]) => path === plan.keyFile),
  );
  assert.equal(plan.processes.length, 3);
  assert.deepEqual(plan.config, {
    version: 1,
    gateway: { host: '127.0.0.1', port: 0 },
    p2p: { listenHost: '127.0.0.1', listenPort: 0, allowPrivateAddresses: true },
    keys: { keyFile: plan.keyFile },
  });
});

test('a relative key file is one of the working folder, wherever the node runs', async () => {
  const { terminal } = fakeTerminal({ workingFolder: folder });
  const answers = { home: join(folder, 'node'), network: 'devnet', devnet: join(folder, 'devnet'), host: '127.0.0.1' };
  const rest = { unlock: 'file', keyFile: 'my.key', port: 0, p2pPort: 0 } as const;
  const plan = await planHome({ ...answers, ...rest }, terminal);
  assert.equal(plan.keyFile, join(folder, 'my.key'));
  assert.deepEqual(plan.config.keys, { keyFile: join(folder, 'my.key') });
  // Nothing is held for others unless somebody offers it.
  assert.equal(plan.config.store, undefined);
  assert.equal((await planHome({ ...answers, ...rest, offer: 0 }, terminal)).config.store, undefined);
  const { config } = await planHome({ ...answers, ...rest, offer: 1024 ** 3 }, terminal);
  assert.deepEqual(config.store, { heldMaxBytes: 1024 ** 3 });
});

test('a node that ended on a disk which takes nothing is stopped all the same', async () => {
  const at = home('refused');
  writeFileSync(runningPath(at), JSON.stringify({ pid: 999_999_999, startedAt: 'then' }));
  const refusing = mock.method(fs, 'rmSync', () => {
    throw Object.assign(new Error('read-only'), { code: 'EROFS' });
  });
  syncBuiltinESMExports();
  try {
    assert.deepEqual(await stopProcess(at, { signal }), { wasRunning: false, killed: false });
    assert.equal(refusing.mock.callCount(), 1);
  } finally {
    refusing.mock.restore();
    syncBuiltinESMExports();
  }
});
