import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadConfig } from '../../../appliance/config/index.ts';
import { servedCertificate } from '../../../cli/life/examine-containers.ts';
import { prepareContainers } from '../../../cli/life/prepare-containers.ts';
import { gatewayUrl } from '../../../cli/provision/docker/gateway-url.ts';
import { CONTAINER_ROLES } from '../../../cli/provision/docker/role-table.ts';
import { findTarget } from '../../../cli/provision/docker/target-file.ts';
import { createOutput } from '../../../cli/render/output.ts';
import { until } from '../../e2e/workplace.ts';
import { fakeTerminal } from '../../unit/cli/capture.ts';
import { DOCKER_SOCKET, DockerPlace, loadImages, skipWithoutDocker } from './docker-place.ts';

interface Check {
  readonly name: string;
  readonly value: string;
  readonly grade: string;
}
interface ImageSetFile {
  readonly version: string;
  readonly roles: Record<string, { readonly id: string }>;
}

describe('the life of a node in containers', { skip: skipWithoutDocker, timeout: 500_000 }, () => {
  const place = new DockerPlace(DOCKER_SOCKET);
  const home = place.path('node');
  const at = ['--home', home];
  const file = place.path('node.backup');
  const made: string[] = [];
  const bodies = new Map<string, Buffer>();
  let nodeId = '';

  const put = async (bytes: number): Promise<void> => {
    const path = place.path('body');
    writeFileSync(path, randomBytes(bytes));
    const { recordId } = await place.json<{ recordId: string }>(['put', path, ...at]);
    bodies.set(recordId, readFileSync(path));
  };
  const sum = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const readAll = async (): Promise<void> => {
    for (const [id, body] of bodies) {
      const out = place.path('out');
      await place.json(['get', id, '-o', out, '--force', ...at]);
      assert.equal(sum(readFileSync(out)), sum(body), id);
    }
  };
  const imagesNow = (): Record<string, string> => ({ ...findTarget(home)?.images });

  /** The images that run, labelled as another version; the store's broken on purpose where asked for. */
  const imageSet = (version: string, broken: boolean): string => {
    const folder = place.path(`set-${version}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'main.mjs'), 'throw new Error("broken on purpose");\n');
    const roles: ImageSetFile['roles'] = {};
    for (const role of CONTAINER_ROLES) {
      const from = imagesNow()[role];
      const lines = [`FROM ${from}`, `LABEL org.nectar-byon.version=${version}`];
      if (broken && role === 'store') lines.push('COPY main.mjs /app/main.mjs');
      writeFileSync(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
      const env = { ...process.env, DOCKER_BUILDKIT: '0' };
      const id = execFileSync('docker', ['build', '-q', folder], { env, stdio: ['ignore', 'pipe', 'ignore'] });
      roles[role] = { id: id.toString().trim() };
      made.push(roles[role].id);
    }
    const path = join(folder, 'digests.lock.json');
    writeFileSync(path, JSON.stringify({ version, roles } satisfies ImageSetFile));
    return path;
  };

  before(async () => {
    loadImages(DOCKER_SOCKET);
    ({ nodeId } = await place.init(home));
  });
  after(async () => {
    await place.close([home, place.path('restored')]);
    for (const id of made) await place.engine.images.remove(id).catch(() => undefined);
  });

  test('is backed up while it runs, and the backup is intact', async () => {
    for (const bytes of [0, 5, 90_000, 3_500_000]) await put(bytes);
    const done = await place.json<{ entries: number; keyFileIncluded: boolean; recorded: boolean }>([
      'backup',
      '--out',
      file,
      ...at,
    ]);
    assert.equal(done.recorded, true);
    assert.ok(done.entries > 20, String(done.entries));
    assert.equal(done.keyFileIncluded, false);
    assert.deepEqual(
      readdirSync(join(home, 'run')).filter((name) => name.startsWith('backup-')),
      [],
    );
    await place.json(['restore', file, '--check', '--home', place.path('never')]);
    const backup = readFileSync(file);
    for (const body of [...bodies.values()].filter(({ length }) => length > 1000)) {
      assert.equal(backup.includes(body.subarray(0, 64)), false);
    }
  });

  test('refuses to restore beside the node, and leaves that alone', async () => {
    const args = ['restore', file, '--target', 'docker', '--engine', DOCKER_SOCKET, '--home', place.path('restored')];
    assert.equal((await place.error(args)).code, 'BACKUP_NODE_PRESENT');
    await readAll();
  });

  test('goes back by itself when the new version does not become ready', async () => {
    const before = imagesNow();
    const { code, message } = await place.error([
      'upgrade',
      '--image-set',
      imageSet('0.1.1', true),
      '--unsigned',
      ...at,
    ]);
    assert.equal(code, 'UPGRADE_ROLLED_BACK', message);
    assert.deepEqual(imagesNow(), before);
    assert.equal((await place.json<{ ready: boolean }>(['status', ...at])).ready, true);
    await readAll();
    assert.equal((await place.error(['rollback', ...at])).code, 'UPGRADE_ROLLBACK_ABSENT');
  });

  test('is upgraded with its volumes, and rolled back by hand', async () => {
    const before = imagesNow();
    const set = imageSet('0.2.0', false);
    await place.json(['upgrade', '--image-set', set, '--unsigned', '--plan', ...at]);
    assert.deepEqual(imagesNow(), before, '--plan changes nothing');
    const done = await place.json<{ ready: boolean; to: string }>(['upgrade', '--image-set', set, '--unsigned', ...at]);
    assert.deepEqual([done.ready, done.to], [true, '0.2.0']);
    assert.notDeepEqual(imagesNow(), before);
    await readAll();
    const back = await place.json<{ ready: boolean }>(['rollback', ...at]);
    assert.equal(back.ready, true);
    assert.deepEqual(imagesNow(), before);
    await readAll();
  });

  test('a container that hangs is noticed by status and doctor', async () => {
    const store = `nectar-${nodeId.slice(0, 8)}-store`;
    await place.engine.containers.kill(store, 'SIGSTOP');
    try {
      const unhealthy = await until(
        'the healthcheck to notice',
        async () => {
          const { containers } = await place.json<{
            containers: { role: string; health: string; healthReason?: string }[];
          }>(['status', ...at]);
          return containers.find(({ role, health }) => role === 'store' && health === 'unhealthy');
        },
        200_000,
      );
      assert.match(unhealthy.healthReason ?? '', /./);
      const ran = await place.run(['doctor', '--json', ...at]);
      assert.equal(ran.code, 3);
      const { checks } = JSON.parse(ran.stdout) as { checks: Check[] };
      assert.equal(checks.find(({ name }) => name === 'container store')?.grade, 'bad');
      assert.equal(checks.find(({ name }) => name === 'container audit')?.grade, 'good');
    } finally {
      await place.engine.containers.kill(store, 'SIGCONT');
    }
  });

  test('comes back from the backup on a host where it is not', async () => {
    const key = JSON.parse(readFileSync(join(home, 'config.json'), 'utf8')).keys.keyFile as string;
    // Of a node that stands still: what the chain saw of the log after a backup would be missing in it, and the log would say so.
    const last = place.path('last.backup');
    await place.json(['down', ...at]);
    await place.json(['backup', '--out', last, ...at]);
    await place.json(['destroy', '--yes', '--keep-key-file', ...at]);
    assert.deepEqual(await place.objectsOf(nodeId), []);
    const args = ['restore', last, '--target', 'docker', '--engine', DOCKER_SOCKET, '--key-file', key];
    await place.json([...args, ...at]);
    const up = await place.json<{ ready: boolean }>(['up', ...at]);
    assert.equal(up.ready, true);
    const { entries } = await place.json<{ entries: { leaf: { type: string } }[] }>([
      'audit',
      'tail',
      '-n',
      '50',
      ...at,
    ]);
    assert.ok(entries.some(({ leaf }) => leaf.type === 'node.restore'));
    await readAll();
    const verdict = await place.json<{ integrity: string; completeness: string }>(['audit', 'verify', ...at]);
    assert.equal(verdict.integrity, 'ok');
    assert.notEqual(verdict.completeness, 'violated');
    const { findings } = await place.json<{ findings: { code: string }[] }>(['scrub', ...at]);
    assert.deepEqual(
      findings.filter(({ code }) => code !== 'STORE_RECORD_UNACCOUNTED'),
      [],
    );
  });

  test('gets a new certificate and token by `up` when their end is near', async () => {
    const { config } = loadConfig({ home });
    const gateway = gatewayUrl(config.gateway);
    const before = await servedCertificate(home, gateway);
    const token = readFileSync(join(home, 'client/token'), 'utf8');
    const prepare = (days: number) => {
      const terminal = { ...fakeTerminal().terminal, now: () => Date.now() + days * 86_400_000 };
      return prepareContainers({ home, terminal, output: createOutput(terminal, true), passphraseFile: undefined });
    };
    assert.deepEqual(await prepare(300), []);
    assert.deepEqual(await prepare(380), ['certificate', 'token']);
    assert.notEqual(readFileSync(join(home, 'client/token'), 'utf8'), token);
    await place.engine.containers.start(`nectar-${nodeId.slice(0, 8)}-gateway`);
    const renewed = await until('the gateway', () => servedCertificate(home, gateway));
    assert.notEqual(renewed, before);
    const certificate = new X509Certificate(renewed);
    assert.ok(certificate.validToDate.getTime() > Date.now() + 700 * 86_400_000);
    assert.ok(certificate.verify(new X509Certificate(readFileSync(join(home, 'tls/ca.crt'))).publicKey));
    assert.deepEqual(await prepare(380), []);
    assert.deepEqual(
      readdirSync(join(home, 'run')).filter((name) => name.startsWith('renew-')),
      [],
    );
  });
});
