import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../../e2e/workplace.ts';
import { DockerPlace, loadImages, openTestEngine, reasonToSkip } from './docker-place.ts';

const skip = reasonToSkip(
  process.getuid?.() === 0 && spawnSync('dockerd', ['--version']).status === 0,
  'dockerd, and root to run it,',
);
const image = fileURLToPath(new URL('../../data/OT-PAL-8-face.dcm', import.meta.url));
const START_MS = 60_000;

/** A daemon of our own beside the machine's: own data, no rules of the firewall, own addresses. */
class OwnDockerd {
  readonly folder = mkdtempSync(join(tmpdir(), 'nectar-dockerd-'));
  readonly socket = join(this.folder, 'sock');
  /** A bridge of its own: with `none`, dockerd would delete the machine's docker0. */
  readonly #bridge = `nb${process.pid % 1_000_000}`;
  #process: ChildProcess | undefined;

  async start(): Promise<void> {
    const at = (name: string): string => join(this.folder, name);
    const options = [
      ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid'), '--host', `unix://${this.socket}`],
      ['--bridge', this.#bridge, '--iptables=false', '--ip6tables=false'],
      ['--default-address-pool', 'base=10.213.0.0/16,size=24'],
    ].flat();
    spawnSync('ip', ['link', 'add', this.#bridge, 'type', 'bridge']);
    spawnSync('ip', ['address', 'replace', '10.213.255.1/24', 'dev', this.#bridge]);
    const addresses = defaultBridgeAddresses();
    this.#process = spawn('dockerd', options, { stdio: 'ignore' });
    const engine = openTestEngine(this.socket);
    await until('dockerd', () => engine.facts().catch(() => undefined), START_MS);
    restoreDefaultBridge(addresses);
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const daemon = this.#process;
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const ended = new Promise((resolve) => daemon.on('close', resolve));
    daemon.kill(signal);
    await ended;
    if (signal === 'SIGTERM') return;
    // No warning for its containerd either; and what lies in /run is gone after a power cut.
    process.kill(Number(readFileSync(join(this.folder, 'exec', 'containerd', 'containerd.pid'), 'utf8')), 'SIGKILL');
    unmountBelow(join(this.folder, 'exec'));
    for (const name of ['exec', 'pid', 'sock']) rmSync(join(this.folder, name), { recursive: true, force: true });
  }

  remove(): void {
    spawnSync('ip', ['link', 'delete', this.#bridge]);
    unmountBelow(this.folder);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Of the machine's docker0, as `ADDRESS/LENGTH`; none where there is no docker0. */
function defaultBridgeAddresses(): string[] {
  const { stdout } = spawnSync('ip', ['-o', '-4', 'address', 'show', 'dev', 'docker0'], { encoding: 'utf8' });
  return [...stdout.matchAll(/ inet (\S+)/g)].map((match) => match[1] ?? '');
}

/** A daemon with address pools deletes docker0 when it starts for the second time, whosever it is. */
function restoreDefaultBridge(addresses: readonly string[]): void {
  if (addresses.length === 0 || defaultBridgeAddresses().length > 0) return;
  spawnSync('ip', ['link', 'add', 'docker0', 'type', 'bridge']);
  for (const address of addresses) spawnSync('ip', ['address', 'replace', address, 'dev', 'docker0']);
  spawnSync('ip', ['link', 'set', 'docker0', 'up']);
}

function unmountBelow(folder: string): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  for (const path of mounts.filter((one) => one.startsWith(`${folder}/`)).toReversed())
    spawnSync('umount', ['-l', path]);
}

test('a node comes back after a reboot, with nobody there', { skip, timeout: 400_000 }, async () => {
  const dockerd = new OwnDockerd();
  await dockerd.start();
  const place = new DockerPlace(dockerd.socket);
  const home = place.path('node');
  const at = ['--home', home];
  after(async () => {
    await place.close([home]);
    await dockerd.stop('SIGTERM');
    dockerd.remove();
  });
  loadImages(dockerd.socket);
  const { nodeId } = await place.init(home);
  const [receipt] = await place.lines<{ recordId: string }>(['put', image, ...at]);
  const name = (role: string): string => `nectar-${nodeId.slice(0, 8)}-${role}`;

  const isBack = async (): Promise<true | undefined> => {
    const run = await place.run(['get', receipt?.recordId ?? '', '-o', place.path('got'), '--force', ...at]);
    return run.code === 0 ? true : undefined;
  };
  // In order, as a shutdown; then without warning, as a power cut: the daemon and every process of the containers at once.
  await dockerd.stop('SIGTERM');
  assert.ok(!existsSync(dockerd.socket));
  await dockerd.start();
  await until('the node after a shutdown', isBack, START_MS);
  assert.deepEqual(readFileSync(place.path('got')), readFileSync(image));

  const pids = await Promise.all(['audit', 'store', 'rollup', 'gateway'].map((role) => place.pidOf(name(role))));
  // Each container has a supervisor, its parent.
  const parents = pids.map((pid) => Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]));
  await dockerd.stop('SIGKILL');
  for (const pid of [...parents, ...pids]) process.kill(pid, 'SIGKILL');
  await dockerd.start();
  await until('the node after a power cut', isBack, START_MS);
  assert.deepEqual(readFileSync(place.path('got')), readFileSync(image));

  await place.json(['down', ...at]);
  await dockerd.stop('SIGTERM');
  await dockerd.start();
  assert.equal((await place.engine.containers.find(name('store')))?.State.Running, false, 'what was stopped stays so');
  await place.json(['destroy', '--yes', ...at]);
  assert.deepEqual(await place.objectsOf(nodeId), []);
});
