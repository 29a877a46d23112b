import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { runHelper } from '../../../cli/provision/docker/helper.ts';
import { readDockerNode } from '../../../cli/provision/docker/node-spec.ts';
import { objectName, UIDS } from '../../../cli/provision/docker/role-table.ts';
import { freePort } from '../../e2e/workplace.ts';
import { DOCKER_SOCKET, DockerPlace, loadImages, skipWithoutDocker } from './docker-place.ts';

interface Verdict {
  readonly integrity: string;
  readonly completeness: string;
  readonly size: number;
  readonly bodies: { readonly opened: number };
  readonly findings: readonly { readonly code: string }[];
}

/** Changes one bit in the middle of a file, or puts it back. */
const FLIP = `
import { readFileSync, writeFileSync } from 'node:fs';
const [path] = process.argv.slice(1);
const bytes = readFileSync(path);
bytes[bytes.length >> 1] ^= 1;
writeFileSync(path, bytes);
`;

describe('a node in containers, looked at from outside', { skip: skipWithoutDocker, timeout: 400_000 }, () => {
  const place = new DockerPlace(DOCKER_SOCKET);
  const home = place.path('node');
  const at = ['--home', home];
  let nodeId = '';
  let metrics = '';
  const name = (role: string): string => objectName(nodeId, role);
  const scrape = async (): Promise<string[]> => (await (await fetch(metrics)).text()).split('\n');
  const verify = () => place.json<Verdict>(['audit', 'verify', ...at]);

  const flip = async (file: string): Promise<void> => {
    const { images, version } = readDockerNode(home).spec;
    const target = '/nectar/audit';
    const mounts = [{ kind: 'volume', source: name('audit'), target, readOnly: false }] as const;
    const program = { source: FLIP, args: [`${target}/${file}`] };
    await runHelper(place.engine, { nodeId, version, image: images.audit, uid: UIDS.audit, mounts, program });
  };

  before(async () => {
    loadImages(DOCKER_SOCKET);
    ({ nodeId } = await place.init(home));
    writeFileSync(place.path('body'), randomBytes(100_000));
    await place.json(['put', place.path('body'), ...at]);
  });
  after(() => place.close([home]));

  test('lets its metrics out at the port that the owner names, and makes anew nothing else for it', async () => {
    const port = await freePort();
    const config = JSON.parse(readFileSync(`${home}/config.json`, 'utf8')) as { gateway: object };
    const gateway = { ...config.gateway, metricsPort: port };
    writeFileSync(`${home}/config.json`, JSON.stringify({ ...config, gateway }));
    const { changes } = await place.json<{ changes: { recreated: string[] } }>(['up', ...at]);
    assert.deepEqual(changes.recreated, [name('gateway')]);
    metrics = `http://127.0.0.1:${port}/metrics`;
    const lines = await scrape();
    for (const role of ['gateway', 'store', 'audit', 'rollup']) {
      assert.ok(lines.includes(`nectar_role_up{role="${role}"} 1`), role);
      assert.ok(lines.some((line) => line.startsWith(`process_resident_memory_bytes{role="${role}"} `)));
    }
    assert.ok(lines.some((line) => /^nectar_audit_\w+\{role="audit".*\} [1-9]/.test(line)));
    assert.ok(lines.some((line) => /^nectar_store_\w+\{role="store".*\} [1-9]/.test(line)));
  });

  test('says which role hangs, and shows the others', async () => {
    await place.engine.containers.kill(name('audit'), 'SIGSTOP');
    try {
      const lines = await scrape();
      assert.ok(lines.includes('nectar_role_up{role="audit"} 0'));
      assert.ok(lines.includes('nectar_role_up{role="store"} 1'));
      assert.ok(!lines.some((line) => line.startsWith('nectar_audit_')));
    } finally {
      await place.engine.containers.kill(name('audit'), 'SIGCONT');
    }
  });

  test('gives its numbers to a support bundle', async () => {
    const out = place.path('support.json');
    await place.json(['support-bundle', '--out', out, ...at]);
    const { metrics: lines } = JSON.parse(readFileSync(out, 'utf8')) as { metrics: string[] };
    for (const role of ['store', 'audit', 'rollup']) assert.ok(lines.includes(`nectar_role_up{role="${role}"} 1`));
    assert.ok(lines.some((line) => line.startsWith('nectar_audit_')));
  });

  test('has its log verified while it is down, as a process has', async () => {
    const running = await verify();
    await place.json(['down', ...at]);
    const atRest = await verify();
    assert.deepEqual([atRest.integrity, atRest.completeness, atRest.findings], ['ok', 'unknown', []]);
    assert.ok(atRest.size > running.size, 'what was said at the stop is in it');
    assert.equal(atRest.bodies.opened, atRest.size);
    assert.equal((await place.objectsOf(nodeId)).length, 22, 'no helper is left');
  });

  test('has the tree alone verified where the key cannot be read', async () => {
    const { keyFile } = readDockerNode(home).spec;
    assert.ok(keyFile);
    renameSync(keyFile, `${keyFile}.away`);
    try {
      const verdict = await verify();
      assert.deepEqual([verdict.integrity, verdict.bodies.opened], ['ok', 0]);
    } finally {
      renameSync(`${keyFile}.away`, keyFile);
    }
  });

  test('is found out when a byte of its log was changed', async () => {
    const file = 'bodies/000';
    await flip(file);
    try {
      const ran = await place.run(['audit', 'verify', '--json', ...at]);
      assert.equal(ran.code, 3, ran.stderr);
      const verdict = JSON.parse(ran.stdout) as Verdict;
      assert.equal(verdict.integrity, 'violated');
      assert.notEqual(verdict.findings.length, 0);
      assert.match(ran.stderr, /CLI_AUDIT_VIOLATED/);
    } finally {
      await flip(file);
    }
    assert.equal((await verify()).integrity, 'ok');
  });

  test('is not read under the hands of its own container', async () => {
    await place.engine.containers.start(name('audit'));
    assert.equal((await place.error(['audit', 'verify', ...at])).code, 'CLI_NODE_UNREACHABLE');
  });
});
