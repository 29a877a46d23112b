import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { enums, readPrivateKey, revokeKey } from 'openpgp';
import { capture } from '../capture.ts';
import { Maker, saveBundle } from './signed-place.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-release-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let maker: Maker;
let stranger: Maker;
let dist: string;
let bundle: string;
let count = 0;

before(async () => {
  maker = await Maker.create(folder);
  stranger = await Maker.create(folder);
  dist = await maker.build('dist', 'good');
  bundle = await saveBundle(dist, join(folder, 'good.bundle'), join(dist, 'release'));
});

interface Loaded {
  readonly code: string | undefined;
  readonly to: string;
  readonly result: { command: string; signed: boolean };
}

async function load(file: string, ...options: string[]): Promise<Loaded> {
  const to = join(folder, `to-${count++}`);
  const ran = await capture(['bundle', 'load', file, '--to', to, '--program-only', '--json', ...options]);
  const code = ran.code === 0 ? undefined : (JSON.parse(ran.stderr) as { error: { code: string } }).error.code;
  return { code, to, result: ran.code === 0 ? JSON.parse(ran.stdout) : undefined };
}

async function refused(file: string, code: string, key = maker.releaseKey): Promise<void> {
  const loaded = await load(file, '--release-key', key);
  assert.equal(loaded.code, code, file);
  assert.equal(existsSync(loaded.to), false, 'nothing is left of what was refused');
}

/** The good release, with something done to a copy of its dist/ before it is packed. */
async function packed(name: string, change: (dist: string) => void): Promise<string> {
  const copy = join(folder, name);
  cpSync(dist, copy, { recursive: true });
  change(copy);
  return saveBundle(copy, join(folder, `${name}.bundle`), join(copy, 'release'));
}

const programOf = (of: string): string =>
  join(of, 'program', readdirSync(join(of, 'program')).find((name) => name.endsWith('.tar.gz')) ?? '');

test('takes what the named key signed, and keeps the signatures beside the digests', async () => {
  const { code, to, result } = await load(bundle, '--release-key', maker.releaseKey);
  assert.equal(code, undefined);
  assert.equal(result.signed, true);
  assert.equal(execFileSync(result.command, { encoding: 'utf8' }), 'good\n');
  for (const name of ['digests.lock.json', 'release.sha256', 'release.sha256.asc', 'release.intoto.json'])
    assert.ok(existsSync(join(to, name)), name);
});

test('takes nothing on its own while no key is published, and nothing by a key that did not sign', async () => {
  assert.equal((await load(bundle)).code, 'RELEASE_KEY_UNKNOWN');
  await refused(bundle, 'RELEASE_KEY_UNKNOWN', stranger.releaseKey);
});

test('refuses a bundle without signatures, unless it is said that there are none', async () => {
  const bare = await saveBundle(dist, join(folder, 'bare.bundle'), undefined);
  await refused(bare, 'RELEASE_SIGNATURE_MISSING');
  assert.equal((await load(bare)).code, 'RELEASE_SIGNATURE_MISSING');
  const { code, result } = await load(bare, '--unsigned');
  assert.deepEqual([code, result.signed], [undefined, false]);
  assert.equal((await load(bare, '--unsigned', '--release-key', maker.releaseKey)).code, 'CLI_USAGE');
});

test('refuses to pack half of the signatures', async () => {
  for (const name of ['release.sha256', 'release.sha256.asc', 'release.intoto.json'])
    await assert.rejects(
      packed(`half-${name}`, (copy) => rmSync(join(copy, 'release', name))),
      /BUNDLE_PART_MISSING/,
    );
});

test('refuses a program of a stranger with checksums of his own, and his release under our name', async () => {
  const evil = await stranger.build('evil', 'evil');
  const swapped = await packed('swapped', (copy) => copyFileSync(programOf(evil), programOf(copy)));
  await refused(swapped, 'RELEASE_ARTIFACT_FOREIGN');
  await refused(await saveBundle(evil, join(folder, 'evil.bundle'), join(evil, 'release')), 'RELEASE_KEY_UNKNOWN');
});

test('refuses two artifacts that changed places, each with a digest that was signed', async () => {
  const file = await packed('places', (copy) => {
    const [installer, lock] = [join(copy, 'program', 'install.sh'), join(copy, 'images', 'digests.lock.json')];
    const text = readFileSync(installer);
    copyFileSync(lock, installer);
    writeFileSync(lock, text);
  });
  await refused(file, 'RELEASE_ARTIFACT_FOREIGN');
});

test('refuses a part that was added, and a part of another release by the same key', async () => {
  const added = await packed('added', (copy) =>
    writeFileSync(join(copy, 'images', 'nectar-byon-9.9.9-linux-arm64.tar'), 'more'),
  );
  await refused(added, 'RELEASE_ARTIFACT_FOREIGN');
  const next = await maker.build('next', 'next');
  await refused(
    await packed('mixed', (copy) => copyFileSync(programOf(next), programOf(copy))),
    'RELEASE_ARTIFACT_FOREIGN',
  );
});

test('asks for both signatures where the key file has both, of one and the same list', async () => {
  const next = await maker.build('later', 'later');
  for (const name of ['release.sha256', 'release.sha256.asc', 'release.intoto.json']) {
    const file = await packed(`of-${name}`, (copy) =>
      copyFileSync(join(next, 'release', name), join(copy, 'release', name)),
    );
    await refused(file, name.endsWith('.json') ? 'RELEASE_SIGNATURE_INVALID' : 'RELEASE_SIGNATURE_INVALID');
  }
  const both = await packed('of-both', (copy) => {
    for (const name of ['release.sha256', 'release.sha256.asc'])
      copyFileSync(join(next, 'release', name), join(copy, 'release', name));
  });
  await refused(both, 'RELEASE_SIGNATURE_INVALID');
  const openpgp = await packed('of-stranger', (copy) => {
    const armoured = readFileSync(join(stranger.folder, 'evil', 'release', 'release.sha256.asc'));
    writeFileSync(join(copy, 'release', 'release.sha256.asc'), armoured);
  });
  await refused(openpgp, 'RELEASE_KEY_UNKNOWN');
});

test('refuses signatures that are cut off or rubbish', async () => {
  for (const name of ['release.sha256', 'release.sha256.asc', 'release.intoto.json']) {
    const whole = readFileSync(join(dist, 'release', name));
    for (const [what, bytes] of [
      ['empty', Buffer.alloc(0)],
      ['half', whole.subarray(0, whole.length / 2)],
      ['rubbish', Buffer.alloc(500, 0xff)],
    ] as const) {
      const file = await packed(`${what}-${name}`, (copy) => writeFileSync(join(copy, 'release', name), bytes));
      await refused(file, 'RELEASE_SIGNATURE_INVALID');
    }
  }
});

test('refuses an old release that is replayed, signed as it is', async () => {
  const old = await maker.build('old', 'old', '0.0.9');
  const file = await saveBundleOf(old, '0.0.9');
  await refused(file, 'RELEASE_OLDER');
  assert.equal((await load(file, '--release-key', maker.releaseKey, '--accept-older')).code, undefined);
});

test('refuses an old release that says it is a new one', async () => {
  const old = await maker.build('posing', 'old', '0.0.9');
  await refused(await saveBundle(old, join(folder, 'posing.bundle'), join(old, 'release')), 'RELEASE_ARTIFACT_FOREIGN');
});

test('refuses a key file that is none, a private key, and an OpenPGP key alone', async () => {
  const key = readFileSync(maker.releaseKey, 'utf8');
  const cases: Readonly<Record<string, string>> = {
    empty: '',
    private: readFileSync(join(maker.keys, 'release-key.pem'), 'utf8'),
    openpgp: key.slice(key.indexOf('-----BEGIN PGP')),
    damaged: key.replace(/-----BEGIN PUBLIC KEY-----\n..../, '-----BEGIN PUBLIC KEY-----\nAAAA'),
    many: key.repeat(5),
  };
  for (const [name, text] of Object.entries(cases)) {
    const path = join(folder, `${name}.pub`);
    writeFileSync(path, text);
    await refused(bundle, 'RELEASE_KEY_INVALID', path);
  }
  await refused(bundle, 'RELEASE_KEY_INVALID', join(folder, 'absent.pub'));
});

test('goes by either key of a file while keys are rotated', async () => {
  const path = join(folder, 'two.pub');
  writeFileSync(path, readFileSync(stranger.releaseKey, 'utf8') + readFileSync(maker.releaseKey, 'utf8'));
  assert.equal((await load(bundle, '--release-key', path)).code, undefined);
});

test('refuses what a revoked OpenPGP key signed, however its Ed25519 key stands', async () => {
  const [private_ = ''] = readdirSync(maker.keys).filter((name) => name.endsWith('.asc'));
  const privateKey = await readPrivateKey({ armoredKey: readFileSync(join(maker.keys, private_), 'utf8') });
  for (const flag of [enums.reasonForRevocation.keyCompromised, enums.reasonForRevocation.keyRetired]) {
    const { publicKey } = await revokeKey({ key: privateKey, reasonForRevocation: { flag }, format: 'armored' });
    const path = join(folder, `revoked-${flag}.pub`);
    const [ed25519 = ''] = readFileSync(maker.releaseKey, 'utf8').split('-----BEGIN PGP');
    writeFileSync(path, ed25519 + publicKey);
    await refused(bundle, 'RELEASE_KEY_INVALID', path);
    // Beside one in force, a stolen pair still lacks a signature.
    const both = join(folder, `revoked-${flag}-and-next.pub`);
    writeFileSync(both, readFileSync(path, 'utf8') + readFileSync(stranger.releaseKey, 'utf8'));
    await refused(bundle, 'RELEASE_KEY_UNKNOWN', both);
  }
});

/** A bundle whose manifest says the version of its maker's program, as that program would have written it. */
async function saveBundleOf(of: string, version: string): Promise<string> {
  const { writeBundle } = await import('../../../../cli/life/bundle/write-bundle.ts');
  const { collectParts } = await import('../../../../cli/life/bundle/collect-parts.ts');
  const parts = await collectParts(of, join(of, 'release'));
  const createdAt = new Date(0).toISOString();
  const manifest = {
    format: 'nectar-byon-bundle',
    version: 1,
    program: version,
    architecture: 'amd64',
    createdAt,
  } as const;
  const file = join(folder, `${version}.bundle`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeBundle(parts, manifest)) chunks.push(Buffer.from(chunk));
  writeFileSync(file, Buffer.concat(chunks));
  return file;
}
