import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { requireLocked } from '../../../../cli/life/upgrade/image-set.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { capture } from '../capture.ts';
import { makeHome } from '../life/stored-home.ts';
import { Maker } from './signed-place.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-upgrade-trust-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const id = (digit: string): string => `sha256:${digit.repeat(64)}`;
const four = (digit: string) => ({ gateway: id(digit), store: id(digit), audit: id(digit), rollup: id(digit) });

test('upgrades to an image set that a trusted key signed, and to no other', async () => {
  const [maker, stranger] = [await Maker.create(folder), await Maker.create(folder)];
  const home = await makeHome(folder, 'home');
  const target = {
    ...{ version: 1, target: 'docker', state: 'ready', engine: 'unix:///nowhere/engine.sock', engineKind: 'docker' },
    ...{ nodeId: 'a'.repeat(32), programVersion: '0.1.0', images: four('a') },
  };
  writeFileSync(join(home, 'target.json'), JSON.stringify(target));
  const dist = await maker.build('dist', 'good');
  const set = join(dist, 'images', 'digests.lock.json');
  const upgrade = async (...options: string[]): Promise<string> => {
    const ran = await capture(['upgrade', '--image-set', set, '--home', home, '--json', ...options]);
    return (JSON.parse(ran.stderr) as { error: { code: string } }).error.code;
  };
  const byKey = ['--release-key', maker.releaseKey];
  assert.equal(await upgrade(...byKey), 'RELEASE_SIGNATURE_MISSING');
  for (const name of ['release.sha256', 'release.sha256.asc', 'release.intoto.json'])
    copyFileSync(join(dist, 'release', name), join(dist, 'images', name));
  // Trusted, it goes on to the engine, which is not there.
  const trusted = await upgrade(...byKey);
  assert.match(trusted, /^CLI_ENGINE/);
  assert.equal(await upgrade('--release-key', stranger.releaseKey), 'RELEASE_KEY_UNKNOWN');
  assert.equal(await upgrade(), 'RELEASE_KEY_UNKNOWN');
  writeFileSync(set, readFileSync(set, 'utf8').replace('abab', 'acab'));
  assert.equal(await upgrade(...byKey), 'RELEASE_ARTIFACT_FOREIGN');
  assert.equal(await upgrade('--unsigned'), trusted);
});

test("goes by the program's own list of digests where no image set is named", () => {
  const lock = { version: '0.1.0', imageIds: four('a'), baseLayers: [id('b')] };
  requireLocked({ version: '0.1.0', images: four('a') }, lock, 'engine');
  requireLocked({ version: '0.1.0', images: four('c') }, undefined, 'engine');
  requireLocked({ version: '0.1.0', images: four('c') }, { ...lock, version: '0.0.9' }, 'engine');
  assert.throws(
    () => requireLocked({ version: '0.1.0', images: { ...four('a'), audit: id('c') } }, lock, 'engine'),
    (error) => isNectarError(error, 'RELEASE_ARTIFACT_FOREIGN') && error.data.entry === 'nectar-byon-audit:0.1.0',
  );
});
