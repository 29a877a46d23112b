import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hostArchitecture, readBaseInputs } from '../../../images/base-lock.ts';
import { fetchDeb } from '../../../images/debian.ts';
import { type DigestLock, differences, digestLockOf } from '../../../images/digest-lock.ts';
import { decodeTar } from '../../../images/tar.ts';
import { assembled } from './assembled.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const skip = process.platform === 'linux' ? false : 'images are assembled on Linux';

function digestsIn(root: string, env: Record<string, string> = {}): DigestLock {
  const script = join(root, 'scripts', 'images.ts');
  const output = execFileSync(process.execPath, [script, 'verify', '--digests'], {
    cwd: tmpdir(),
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return JSON.parse(output) as DigestLock;
}

describe('reproducible images', { skip }, () => {
  test('two builds give the same ids, also elsewhere on the disk, at another time and in another zone', async () => {
    const ours = digestLockOf(await assembled());
    assert.deepEqual(differences(ours, digestsIn(ROOT, { TZ: 'Pacific/Chatham', LC_ALL: 'C' })), []);

    const clone = mkdtempSync(join(tmpdir(), 'nectar-clone-'));
    try {
      for (const name of [
        'appliance',
        'circuits/generated',
        'coding/generated',
        'coding/host',
        'contracts/generated',
        'images',
        'machine/generated',
        'machine/host',
        'machine/tracer',
        'protocol',
        'scripts',
        'docs',
      ]) {
        cpSync(join(ROOT, name), join(clone, name), { recursive: true });
      }
      for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'LICENSE']) {
        copyFileSync(join(ROOT, name), join(clone, name));
      }
      symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
      assert.deepEqual(differences(ours, digestsIn(clone)), []);

      // And the comparison is one that can fail.
      const file = join(clone, 'appliance', 'entries', 'audit.ts');
      writeFileSync(file, `${readFileSync(file, 'utf8')}\nprocess.title = 'other';\n`);
      const changed = differences(ours, digestsIn(clone));
      assert.ok(changed.length > 0 && changed.every((text) => text.startsWith('audit: ')), changed.join('\n'));
    } finally {
      rmSync(clone, { recursive: true });
    }
  });

  test('the base is the one in images/base.lock.json', async () => {
    const { base } = await assembled();
    const { digests } = readBaseInputs(hostArchitecture());
    assert.deepEqual({ layer: base.layers[0]?.digest, image: base.id }, digests);
  });

  test('a Debian package with another hash than the locked one is refused and not kept', () => {
    const wanted = readBaseInputs(hostArchitecture()).debian.packages.find(({ name }) => name === 'libgcc-s1');
    assert.ok(wanted);
    const cache = mkdtempSync(join(tmpdir(), 'nectar-debs-'));
    try {
      assert.throws(() => fetchDeb({ ...wanted, sha256: '0'.repeat(64) }, cache), /is not the one in|is no longer in/);
      assert.ok(readdirSync(cache).every((name) => !name.endsWith('.deb') && !name.startsWith('.partial')));
    } finally {
      rmSync(cache, { recursive: true });
    }
  });

  test('a release has its own date, and the same layers', async () => {
    const dated = digestsIn(ROOT, { SOURCE_DATE_EPOCH: '1700000000' });
    const ours = digestLockOf(await assembled());
    assert.equal(dated.created, 1_700_000_000);
    assert.notEqual(dated.roles.store?.id, ours.roles.store?.id);
    assert.deepEqual(dated.roles.store?.layers, ours.roles.store?.layers);
  });

  test('a layer carries one time, sorted names and no pax record', async () => {
    const { base, roles, inputs } = await assembled();
    for (const { tar } of [...base.layers, ...roles.map(({ layer }) => layer)]) {
      const members = [...decodeTar(tar)];
      assert.ok(members.every(({ mtime }) => mtime === inputs.epoch));
      const names = members.map(({ path }) => path);
      assert.deepEqual(names, [...names].sort());
      assert.ok(members.every(({ path }) => path === '' || dirname(path) === '.' || names.includes(dirname(path))));
      // A pax header is one more block of type x or g before the member.
      for (let at = 0; at < tar.length && tar[at] !== 0; ) {
        const header = Buffer.from(tar.buffer, tar.byteOffset + at, 512);
        assert.ok(['0', '2', '5'].includes(String.fromCharCode(header[156] ?? 0)));
        const size = Number.parseInt(header.toString('latin1', 124, 135), 8);
        at += 512 + Math.ceil(size / 512) * 512;
      }
    }
  });
});
