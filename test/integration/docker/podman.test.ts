import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../../e2e/workplace.ts';
import { DockerPlace, loadImages, reasonToSkip } from './docker-place.ts';

const skip = reasonToSkip(spawnSync('podman', ['--version']).status === 0, 'Podman');
const image = fileURLToPath(new URL('../../data/OT-PAL-8-face.dcm', import.meta.url));

test("a node on Podman's Docker-compatible socket", { skip, timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-podman-'));
  const socket = join(folder, 'podman.sock');
  const service: ChildProcess = spawn('podman', ['system', 'service', '-t', '0', `unix://${socket}`], {
    stdio: 'ignore',
  });
  await until('the socket of Podman', () => (existsSync(socket) ? true : undefined));
  const place = new DockerPlace(socket);
  const home = place.path('node');
  const at = ['--home', home];
  after(async () => {
    await place.close([home]);
    service.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });
  assert.equal((await place.engine.facts()).kind, 'podman');
  loadImages(socket);
  const { nodeId } = await place.init(home);
  assert.equal((await place.objectsOf(nodeId)).length, 22);
  const [receipt] = await place.lines<{ recordId: string }>(['put', image, ...at]);
  await place.json(['down', ...at]);
  await place.json(['up', ...at]);
  const got = await place.run(['get', receipt?.recordId ?? '', '-o', place.path('got'), ...at]);
  assert.equal(got.code, 0, got.stderr);
  assert.deepEqual(readFileSync(place.path('got')), readFileSync(image));

  const status = readFileSync(`/proc/${await place.pidOf(`nectar-${nodeId.slice(0, 8)}-store`)}/status`, 'utf8');
  assert.match(status, /^Seccomp:\s+2$/m);
  assert.match(status, /^NoNewPrivs:\s+1$/m);
  assert.match(status, /^CapEff:\s+0+$/m);
  assert.match(status, /^Uid:\s+64002\s/m);

  await place.json(['destroy', '--yes', ...at]);
  assert.deepEqual(await place.objectsOf(nodeId), []);
});
