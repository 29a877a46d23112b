import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHealthServer, startIfPossible } from '../../../appliance/crossing/health/health-server.ts';
import { healthSocketPath } from '../../../appliance/crossing/socket.ts';
import type { NodeStatus } from '../../../appliance/gateway/node-schemas.ts';
import type { Logger } from '../../../appliance/telemetry/index.ts';
import { runCommandLine } from '../../../cli/command-line.ts';
import { writeRunning } from '../../../cli/provision/process/running.ts';
import { fitnessSentence } from '../../../hardening/report/fitness.ts';
import { capture, fakeTerminal } from './capture.ts';

const WELL: NodeStatus = {
  ready: true,
  reasons: [],
  locked: false,
  nodeId: '0'.repeat(32),
  peerId: '12D3KooWPZAmxiHP1j5drukBS1aZR2L2EF79b4EPT8te5V2dyYDt',
  network: 'devnet',
  version: '0.1.0',
  uptimeSeconds: 61,
  roles: ['gateway', 'store', 'audit', 'rollup'],
  l2: { unsafe: 9, safe: 8, finalized: 7 },
  peers: 2,
  records: 4321,
  audit: null,
  anchored: null,
  assertions: null,
  l1: null,
  witness: null,
  storage: null,
  tokens: null,
  hardening: {
    ...{ lastAt: '2026-11-30T13:56:00.000Z', profile: 'node', score: 69, failed: 1, unseen: 0, drifted: 0, waived: 0 },
    ...{ waivedCritical: 0, everySeconds: null, overdue: false },
    fitness: {
      fit: false,
      reasons: ['keys are stored unencrypted', 'swap is not encrypted'],
      at: '2026-11-30T13:56:00.000Z',
    },
  },
  backups: null,
  custody: null,
  clientRevocations: null,
};

describe('how a node is when its gateway does not serve', () => {
  const root = mkdtempSync(join(tmpdir(), 'nectar-node-status-'));
  const home = join(root, 'home');
  /** A gateway without a free place: it ends every connection. */
  const full: Server = createServer((socket) => socket.destroy());
  const health = createHealthServer(healthSocketPath(join(home, 'run', 'sockets'), 'all'), [], {
    status: async () => WELL,
    access: 'owner',
  });
  const signal = new AbortController().signal;

  before(async () => {
    for (const name of ['tls', 'client']) mkdirSync(join(home, name), { recursive: true });
    writeFileSync(join(home, 'config.json'), '{}');
    mkdirSync(join(home, 'identity'), { recursive: true });
    writeFileSync(join(home, 'identity', 'public.json'), '{}');
    writeFileSync(join(home, 'tls', 'ca.crt'), '');
    writeFileSync(join(home, 'client', 'token'), 'token');
    await new Promise<void>((resolve) => full.listen(0, '127.0.0.1', resolve));
    writeRunning(home, `https://127.0.0.1:${(full.address() as AddressInfo).port}`);
    await health.start(signal);
  });
  after(async () => {
    await health.stop();
    full.close();
    rmSync(root, { recursive: true, force: true });
  });

  test('is told by the local socket, and is not ready', async () => {
    const { code, stdout, stderr } = await capture(['status', '--home', home]);
    assert.match(stdout, /not ready/);
    assert.match(stdout, /gateway: its API does not serve/);
    assert.match(stdout, /records +4321/);
    assert.match(stderr, /CLI_NODE_UNREACHABLE/);
    assert.notEqual(code, 0);
  });

  test('begins with whether it is fit for patient data, in `status` as in `doctor`', async () => {
    const sentence = fitnessSentence(WELL.hardening?.fitness ?? { fit: true, reasons: [] });
    const wanted = `${sentence} (Report of 2026-11-30 13:56 UTC.)`;
    for (const verb of ['status', 'doctor']) {
      const { stdout } = await capture([verb, '--home', home]);
      const [first = ''] = stdout.split('\n\n');
      assert.equal(first.replaceAll('\n', ' '), wanted, verb);
    }
    const { stdout } = await capture(['doctor', '--json', '--home', home]);
    assert.deepEqual((JSON.parse(stdout) as { fitness: unknown }).fitness, WELL.hardening?.fitness);
  });

  test('is told to the owner of the home alone', () => {
    const path = healthSocketPath(join(home, 'run', 'sockets'), 'all');
    assert.deepEqual(
      [path, dirname(path)].map((each) => statSync(each).mode & 0o777),
      [0o600, 0o700],
    );
  });

  test('is JSON with the reason in it, too', async () => {
    const { stdout, code } = await capture(['status', '--json', '--home', home]);
    const { ready, reasons, records } = JSON.parse(stdout) as NodeStatus;
    assert.equal(ready, false);
    assert.equal(reasons[0]?.service, 'gateway');
    assert.equal(records, 4321);
    assert.notEqual(code, 0);
  });

  test('is shown again and again, until somebody has seen enough', async () => {
    const seen = new AbortController();
    const { terminal, stdout } = fakeTerminal({ signal: seen.signal });
    const shown = runCommandLine(['status', '--watch', '1', '--json', '--home', home], terminal);
    const errors = (): number => stdout().split('CLI_NODE_UNREACHABLE').length - 1;
    while (errors() < 2) await sleep(20);
    seen.abort();
    await shown;
    for (const line of stdout().trim().split('\n')) JSON.parse(line);
  });

  test('is an error where nobody tells it', async () => {
    await health.stop();
    try {
      const { stdout, stderr, code } = await capture(['status', '--home', home]);
      assert.equal(stdout, '');
      assert.match(stderr, /CLI_NODE_UNREACHABLE/);
      assert.notEqual(code, 0);
    } finally {
      await health.start(signal);
    }
  });

  test('a node whose home has too long a path runs without the socket', async () => {
    const path = healthSocketPath(join(home, 'x'.repeat(120)), 'all');
    const said: string[] = [];
    const log = { warn: (_: unknown, text: string) => said.push(text) } as unknown as Logger;
    await assert.rejects(createHealthServer(path, []).start(signal), { code: 'NODE_SOCKET_UNUSABLE' });
    await startIfPossible(createHealthServer(path, []), log).start(signal);
    assert.equal(said.length, 1);
  });
});
