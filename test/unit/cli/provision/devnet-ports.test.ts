import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hexlify } from 'ethers';
import { readDescriptor } from '../../../../appliance/config/index.ts';
import { parseDevnetPort } from '../../../../cli/option-parsers.ts';
import { findAnvilPid } from '../../../../cli/provision/process/anvil-process.ts';
import { startDevnetL1, stopDevnetL1 } from '../../../../cli/provision/process/devnet-l1.ts';
import {
  devnetPortsOf,
  followDevnet,
  moveDevnet,
  requireDevnetPort,
} from '../../../../cli/provision/process/devnet-ports.ts';
import { requireHomePorts } from '../../../../cli/provision/process/home-ports.ts';
import { findPortHolder, isPortOfAnother } from '../../../../cli/provision/process/port-holder.ts';
import { signDescriptor } from '../../../../protocol/network/descriptor.ts';
import { SAMPLE_DESCRIPTOR } from '../../protocol/network/sample-descriptor.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-devnet-ports-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const KEY = new Uint8Array(32).fill(7);

const DESCRIPTOR = {
  ...SAMPLE_DESCRIPTOR,
  endpoints: {
    l1Rpc: ['http://127.0.0.1:8545'],
    l1Beacon: ['http://127.0.0.1:8545'],
    sequencerRpc: ['http://127.0.0.1:9545'],
  },
  bootstrap: SAMPLE_DESCRIPTOR.bootstrap.map((address) => address.replace(/\/tcp\/\d+/, '/tcp/14640')),
  devnet: { faucet: `0x${'11'.repeat(20)}` as const },
};

function makeDevnet(name: string, key = KEY): string {
  const devnet = join(folder, name);
  mkdirSync(join(devnet, 'keys'), { recursive: true });
  writeFileSync(join(devnet, 'keys', 'descriptor.key'), `${hexlify(key)}\n`);
  writeFileSync(join(devnet, 'faucet.key'), `${hexlify(key)}\n`);
  writeFileSync(join(devnet, 'network.json'), signDescriptor(DESCRIPTOR, key));
  writeFileSync(
    join(devnet, 'config.json'),
    JSON.stringify({ version: 1, sequencer: { rpcPort: 9545, auditor: true }, p2p: { listenPort: 14_640 } }),
  );
  return devnet;
}

async function holdPort(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

test('a port that another process holds is not ours, and what cannot be told is no reason to refuse', async () => {
  const { server, port } = await holdPort();
  assert.equal(isPortOfAnother(port, process.pid), false);
  assert.equal(isPortOfAnother(port, process.ppid), true);
  assert.equal(isPortOfAnother(port, process.ppid, join(folder, 'no-proc')), false);
  server.close();
  await once(server, 'close');
  assert.equal(isPortOfAnother(port, process.ppid), false, 'nobody listens');
});

test('names the program that holds a port, by its pid', async () => {
  const { server, port } = await holdPort();
  try {
    assert.equal(findPortHolder(port)?.pid, process.pid);
    await assert.rejects(requireDevnetPort('rpc', port), {
      code: 'CLI_DEVNET_PORT_TAKEN',
      message: new RegExp(`port ${port} of the devnet's sequencer is taken by another program \\(pid ${process.pid}, `),
    });
  } finally {
    server.close();
  }
});

test('reads the tables of the kernel: who listens, who only is connected, and a name that steers no terminal', () => {
  const proc = join(folder, 'proc');
  mkdirSync(join(proc, 'net'), { recursive: true });
  mkdirSync(join(proc, '42', 'fd'), { recursive: true });
  const line = (port: string, state: string, inode: number): string =>
    `   0: 0100007F:${port} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0`;
  const title = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
  writeFileSync(
    join(proc, 'net', 'tcp'),
    [title, line('2161', '0A', 777), line('2162', '01', 778), line('2163', '0A', 779), ''].join('\n'),
  );
  writeFileSync(join(proc, '42', 'comm'), '\x1b[2Jbad\n');
  symlinkSync('socket:[777]', join(proc, '42', 'fd', '3'));
  symlinkSync('socket:[778]', join(proc, '42', 'fd', '4'));
  assert.deepEqual(findPortHolder(0x2161, proc), { pid: 42, name: '?[2Jbad' });
  writeFileSync(join(proc, '42', 'cmdline'), '/usr/sbin/nginx\0-g\0daemon off;\0');
  assert.deepEqual(findPortHolder(0x2161, proc), { pid: 42, name: 'nginx' });
  assert.equal(findPortHolder(0x2162, proc), undefined, 'it does not listen');
  assert.equal(findPortHolder(0x2163, proc), undefined, 'the process of another user shows nothing');
  assert.equal(findPortHolder(0x2164, proc), undefined);
  assert.equal(findPortHolder(0x2161, join(folder, 'no-proc')), undefined);
});

test('the ports of a node are looked at before its start, and the one that is taken names its option', async () => {
  const { server, port } = await holdPort();
  const home = join(folder, 'home');
  mkdirSync(home);
  const write = (config: object): void =>
    writeFileSync(join(home, 'config.json'), JSON.stringify({ version: 1, ...config }));
  const by = `pid ${process.pid}, `;
  try {
    const free = { host: '127.0.0.1', port: 0 };
    const p2p = { listenHost: '127.0.0.1', listenPort: 0 };
    write({ gateway: free, p2p });
    await requireHomePorts(home, {});
    for (const [gateway, option] of [
      [{ ...free, port }, 'gateway.port'],
      [{ ...free, metricsPort: port }, 'gateway.metricsPort'],
    ] as const) {
      write({ gateway, p2p });
      const message = new RegExp(`\\(${option}\\) is taken by another program \\(${by}`);
      await assert.rejects(requireHomePorts(home, {}), { code: 'GATEWAY_PORT_IN_USE', message });
    }
    write({ gateway: free, p2p: { ...p2p, listenPort: port } });
    const message = new RegExp(`127\\.0\\.0\\.1:${port}: the port is taken \\(${by}`);
    await assert.rejects(requireHomePorts(home, {}), { code: 'NETWORK_LISTEN_REFUSED', message });
  } finally {
    server.close();
  }
});

test('a devnet moves: options and descriptor name the new ports, signed by the same key, and the rest stays', async () => {
  const devnet = makeDevnet('moves');
  const before = readDescriptor(devnet);
  await moveDevnet(devnet, { l1: 18_545, p2p: 24_640 });
  const { descriptor, signer } = readDescriptor(devnet);
  assert.equal(signer, before.signer);
  const { endpoints, bootstrap, ...rest } = descriptor;
  assert.deepEqual(endpoints, {
    l1Rpc: ['http://127.0.0.1:18545'],
    l1Beacon: ['http://127.0.0.1:18545'],
    sequencerRpc: ['http://127.0.0.1:9545'],
  });
  assert.deepEqual(
    bootstrap,
    before.descriptor.bootstrap.map((address) => address.replace('/tcp/14640', '/tcp/24640')),
  );
  assert.deepEqual({ ...rest, endpoints: 0, bootstrap: 0 }, { ...before.descriptor, endpoints: 0, bootstrap: 0 });
  assert.deepEqual(JSON.parse(readFileSync(join(devnet, 'config.json'), 'utf8')), {
    version: 1,
    sequencer: { rpcPort: 9545, auditor: true },
    p2p: { listenPort: 24_640 },
  });
  await assert.rejects(moveDevnet(devnet, { l1: 9545 }), { code: 'CLI_USAGE' });
  assert.deepEqual(devnetPortsOf(readDescriptor(devnet).descriptor), { l1: 18_545, rpc: 9545, p2p: 24_640 });
});

test('a node follows its devnet to the new ports, and no other devnet', async () => {
  const devnet = makeDevnet('followed');
  const home = join(folder, 'follows');
  mkdirSync(home);
  writeFileSync(join(home, 'network.json'), readFileSync(join(devnet, 'network.json')));
  assert.equal(await followDevnet(home, devnet), false);
  await moveDevnet(devnet, { rpc: 19_545 });
  assert.equal(await followDevnet(home, join(folder, 'nowhere')), false);
  assert.equal(await followDevnet(home, makeDevnet('stranger', new Uint8Array(32).fill(8))), false);
  assert.equal(devnetPortsOf(readDescriptor(home).descriptor).rpc, 9545);
  assert.equal(await followDevnet(home, devnet), true);
  assert.equal(devnetPortsOf(readDescriptor(home).descriptor).rpc, 19_545);
  assert.equal(await followDevnet(home, devnet), false);
});

test('reads ports as a person writes them', () => {
  assert.deepEqual(parseDevnetPort('p2p=4700', parseDevnetPort('l1=8546')), { l1: 8546, p2p: 4700 });
  for (const bad of ['', '8546', 'l1', 'l1=', 'l1=0', 'l1=65536', 'l2=1', 'l1=1x', ' l1=1'])
    assert.throws(() => parseDevnetPort(bad), { code: 'CLI_USAGE' }, bad);
});

/** A process that is taken for the L1 of a folder, listens, and does nothing more; it ends by force alone. */
async function startSilentL1(l1: string): Promise<{ pid: number; port: number }> {
  mkdirSync(l1, { recursive: true });
  const source = `process.on('SIGTERM', () => {}); const server = require('node:net').createServer(() => {});
    server.listen(0, '127.0.0.1', () => console.log(server.address().port))`;
  const child = spawn(process.execPath, ['-e', source, join(l1, 'state.json')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [port] = await once(child.stdout, 'data');
  writeFileSync(join(l1, 'anvil.pid'), String(child.pid));
  return { pid: child.pid ?? 0, port: Number(port) };
}

test('an L1 that runs and is silent is named, and not ended for it; the stop kills it, and says so', async () => {
  const l1 = join(folder, 'silent', 'l1');
  const { pid, port } = await startSilentL1(l1);
  try {
    await assert.rejects(startDevnetL1({ folder: l1, port, answerTimeoutMs: 100 }), {
      code: 'CLI_DEVNET_SILENT',
      message: `the devnet's L1 runs, and has not answered at http://127.0.0.1:${port} for 0.1 s`,
    });
    assert.equal(findAnvilPid(l1), pid, 'it holds what it has not written yet');
    const said: string[] = [];
    await stopDevnetL1(l1, { say: (text) => said.push(text), sayAfterMs: 50, killAfterMs: 100 });
    assert.deepEqual(said, [`the development L1 (pid ${pid}) does not end: it is killed in 0.1 s`]);
    assert.equal(findAnvilPid(l1), undefined);
    assert.ok(!existsSync(join(l1, 'anvil.pid')));
  } finally {
    if (findAnvilPid(l1) === pid) process.kill(pid, 'SIGKILL');
  }
});
