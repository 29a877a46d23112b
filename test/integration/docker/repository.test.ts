import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DOCKER_SOCKET, DockerPlace, loadImages, skipWithoutDocker } from './docker-place.ts';

interface Made {
  readonly generation: number;
  readonly newBytes: number;
  readonly recorded: boolean;
}

interface Verified {
  readonly faults: readonly string[];
  readonly opened: boolean;
  readonly records: number;
  readonly auditLeaf: number | undefined;
}

describe('the repository of a node in containers', { skip: skipWithoutDocker, timeout: 550_000 }, () => {
  const place = new DockerPlace(DOCKER_SOCKET);
  const home = place.path('node');
  const at = ['--home', home];
  const repository = place.path('repository');
  const bodies = new Map<string, Buffer>();
  let doomed = '';
  let [nodeId, gateway] = ['', ''];

  const put = async (bytes: number): Promise<string> => {
    const path = place.path('body');
    writeFileSync(path, randomBytes(bytes));
    const { recordId } = await place.json<{ recordId: string }>(['put', path, ...at]);
    bodies.set(recordId, readFileSync(path));
    return recordId;
  };
  const readAll = async (): Promise<void> => {
    for (const [id, body] of bodies) {
      const out = place.path('out');
      await place.json(['get', id, '-o', out, '--force', ...at]);
      assert.ok(readFileSync(out).equals(body), id);
    }
  };
  const backUp = (): Promise<Made> => place.json(['backup', '--to', repository, ...at]);
  const leftInRun = (): string[] => readdirSync(join(home, 'run')).filter((name) => name.startsWith('backup'));

  before(async () => {
    loadImages(DOCKER_SOCKET);
    ({ nodeId, gateway } = await place.init(home));
  });
  after(() => place.close([home]));

  test('takes a snapshot of the running node, and then only what is new', async () => {
    for (const bytes of [0, 5, 90_000, 2_500_000]) await put(bytes);
    doomed = await put(1_500_000);
    const first = await backUp();
    const second = await backUp();
    assert.deepEqual([first.generation, second.generation, first.recorded, second.recorded], [1, 2, true, true]);
    assert.ok(first.newBytes > 4_000_000 && second.newBytes < 200_000, JSON.stringify([first, second]));
    assert.deepEqual(leftInRun(), []);
  });

  test('is reached by a destruction, and restores to a scratch folder', async () => {
    await place.json(['rm', '--yes', '--reach-backups', doomed, ...at]);
    bodies.delete(doomed);
    const verified = await place.json<Verified>(['backup', 'verify', ...at]);
    assert.deepEqual([verified.faults, verified.opened, verified.records], [[], true, 4]);
    assert.equal(typeof verified.auditLeaf, 'number');
  });

  test('lies in the store container of a node that keeps it for another, here for itself', async () => {
    const access = place.path('clinic-a.access');
    await place.json(['custody', 'grant', 'clinic-a', '-o', access, ...at]);
    const to = ['--to', gateway.replace('https://', 'node://'), '--credentials', access];
    const first = await place.json<Made>(['backup', ...to, ...at]);
    const second = await place.json<Made>(['backup', ...to, ...at]);
    assert.deepEqual([first.generation, second.generation], [1, 2]);
    const { repositories } = await place.json<{ repositories: { owner: string; generation: number }[] }>([
      'custody',
      'list',
      ...at,
    ]);
    assert.deepEqual(
      repositories.map(({ owner, generation }) => [owner, generation]),
      [['clinic-a', 2]],
    );
    const verified = await place.json<Verified>(['backup', 'verify', to[1] ?? '', ...at]);
    assert.deepEqual([verified.faults, verified.records], [[], 4]);
  });

  test('makes a running node in containers again, where there is none', async () => {
    const key = JSON.parse(readFileSync(join(home, 'config.json'), 'utf8')).keys.keyFile as string;
    await place.json(['down', ...at]);
    const last = await backUp();
    assert.deepEqual([last.generation, last.recorded], [4, false]);
    const verified = await place.json<Verified>(['backup', 'verify', repository, '--quick', ...at]);
    assert.deepEqual([verified.faults, verified.opened, verified.auditLeaf], [[], true, undefined]);
    assert.deepEqual(leftInRun(), []);
    await place.json(['destroy', '--yes', '--keep-key-file', ...at]);
    assert.deepEqual(await place.objectsOf(nodeId), []);
    const to = ['--target', 'docker', '--engine', DOCKER_SOCKET, '--key-file', key];
    const { ready } = await place.json<{ ready: boolean }>(['recover', repository, '--snapshot', '1', ...to, ...at]);
    assert.equal(ready, true);
    await readAll();
    assert.equal((await place.error(['get', doomed, '-o', place.path('x'), ...at])).code, 'STORE_RECORD_SHREDDED');
    const next = await backUp();
    assert.deepEqual([next.generation, next.recorded], [5, true]);
    const { integrity } = await place.json<{ integrity: string }>(['audit', 'verify', ...at]);
    assert.equal(integrity, 'ok');
  });

  test('takes a newer log with a backup in one file: what was destroyed since stays destroyed', async () => {
    const key = JSON.parse(readFileSync(join(home, 'config.json'), 'utf8')).keys.keyFile as string;
    const file = place.path('one.nectar-backup');
    const gone = await put(5_000);
    await place.json(['backup', '--out', file, ...at]);
    await place.json(['rm', '--yes', gone, ...at]);
    bodies.delete(gone);
    const late = await put(70_000);
    bodies.delete(late);
    await backUp();
    const to = ['--target', 'docker', '--engine', DOCKER_SOCKET, '--key-file', key];
    // A damaged home in volumes is not moved aside: the log has to be named.
    assert.equal((await place.error(['restore', file, '--over', ...to, ...at])).code, 'CLI_USAGE');
    await place.json(['destroy', '--yes', '--keep-key-file', ...at]);
    const { log } = await place.json<{ log: { newer: number } }>(['restore', file, '--log', repository, ...to, ...at]);
    assert.ok(log.newer >= 2, JSON.stringify(log));
    await place.json(['up', ...at]);
    await readAll();
    assert.equal((await place.error(['get', gone, '-o', place.path('x'), ...at])).code, 'STORE_RECORD_SHREDDED');
    assert.equal((await place.error(['get', late, '-o', place.path('x'), ...at])).code, 'STORE_RECORD_LOST');
    const { integrity } = await place.json<{ integrity: string }>(['audit', 'verify', ...at]);
    assert.equal(integrity, 'ok');
  });
});
