import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../../../cli/version.ts';
import { DOCKER_SOCKET, DockerPlace, loadImages, skipWithoutDocker } from './docker-place.ts';

interface ImageSet {
  readonly version: string;
  readonly roles: Readonly<Record<string, { readonly id: string }>>;
}

const BUILT = fileURLToPath(new URL('../../../dist/images', import.meta.url));

describe('a bundle for a site without a registry', { skip: skipWithoutDocker, timeout: 300_000 }, () => {
  const place = new DockerPlace(DOCKER_SOCKET);
  const images = place.path('dist', 'images');
  const digests = join(images, 'digests.lock.json');
  const save = (file: string) => place.json(['bundle', 'save', file, '--dist', place.path('dist')]);
  const load = (file: string, to: string) => [
    'bundle',
    'load',
    file,
    '--unsigned',
    '--engine',
    DOCKER_SOCKET,
    '--to',
    to,
  ];

  before(() => {
    loadImages(DOCKER_SOCKET);
    mkdirSync(images, { recursive: true });
    cpSync(BUILT, images, { recursive: true });
    mkdirSync(place.path('dist', 'program'));
    writeFileSync(place.path('dist', 'program', 'install.sh'), '#!/bin/sh\n');
    mkdirSync(place.path('nectar-byon'));
    writeFileSync(place.path('nectar-byon', 'nectar-byon'), 'the program');
    const machine = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const program = place.path('dist', 'program', `nectar-byon-${VERSION}-linux-${machine}.tar.gz`);
    execFileSync('tar', ['-C', place.folder, '-czf', program, 'nectar-byon/nectar-byon']);
  });
  after(() => place.close([]));

  test('hands the engine the very images that its digests name', async () => {
    const file = place.path('site.bundle');
    const kept = place.path('kept');
    await save(file);
    await place.json(load(file, kept));
    assert.deepEqual(readdirSync(kept).sort(), ['bundle.json', 'digests.lock.json', 'install.sh', 'nectar-byon']);
    const { roles } = JSON.parse(readFileSync(join(kept, 'digests.lock.json'), 'utf8')) as ImageSet;
    for (const { id } of Object.values(roles)) assert.equal((await place.engine.images.find(id))?.Id, id);
  });

  test('says so when it brings other images than its digests name, and leaves nothing behind', async () => {
    const set = JSON.parse(readFileSync(digests, 'utf8')) as ImageSet;
    const roles = { ...set.roles, audit: { id: `sha256:${'ab'.repeat(32)}` } };
    writeFileSync(digests, JSON.stringify({ ...set, roles }));
    const file = place.path('other.bundle');
    await save(file);
    assert.equal((await place.error(load(file, place.path('none')))).code, 'CLI_IMAGE_MISSING');
    assert.equal(existsSync(place.path('none')), false);
  });
});
