import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createDataSurvey } from '../../../../hardening/collectors/data-survey.ts';
import { createFilesCollector, type OutsideFile } from '../../../../hardening/collectors/files.ts';
import { createFolderPlace } from '../../../../hardening/collectors/folder-place.ts';
import type { FactSet } from '../../../../hardening/fact-set.ts';
import { collect, failureOf, valuesOf } from './facts-of.ts';

const UID = process.getuid?.() ?? 0;
/** The form of a sealed value: its version, then what chance wrote. */
const sealed = (): Buffer => Buffer.concat([Buffer.from([1]), randomBytes(92)]);
const keyStore = (secret: Buffer): string => JSON.stringify({ providers: [{ sealed: secret.toString('base64') }] });

/** A home as `init` makes it, in a folder of its own. */
async function makeHome(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-files-'));
  t.after(() => rm(folder, { recursive: true }));
  const home = join(folder, 'home');
  for (const name of ['', 'identity', 'tls', 'client', 'store', 'store/index', 'store/blocks', 'audit', 'run']) {
    await mkdir(join(home, name), { mode: 0o700 });
  }
  const files: Record<string, string | Buffer> = {
    'config.json': '{}',
    'keys.json': keyStore(sealed()),
    'identity/p2p.sealed': sealed(),
    'tls/server.key': 'key',
    'client/token': 'token',
    'tokens.json': '{}',
    'store/blocks/one': sealed(),
    'run/node.json': '{}',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(home, name), content, { mode: 0o600 });
  await writeFile(join(home, 'identity', 'public.json'), '{"checkpointVkey":"name+00000000+key"}', { mode: 0o644 });
  return home;
}

interface Look {
  readonly owners?: readonly number[];
  readonly outside?: readonly OutsideFile[];
  readonly dataFolder?: string | undefined;
}

function look(home: string, { owners = [UID], outside = [], ...rest }: Look = {}): Promise<FactSet> {
  const places = [createFolderPlace({ name: 'home', folder: home, owners })];
  const survey = createDataSurvey({ places, probe: false }, { api: undefined, vkey: () => '', randomBytes });
  const dataFolder = 'dataFolder' in rest ? rest.dataFolder : home;
  return collect(createFilesCollector({ home, outside, dataFolder }, { survey }));
}

const names = (facts: FactSet): string[] => facts.subjects.map(({ name }) => name);

test('lists what matters one by one, and of the rest nothing while it is as it should be', async (t) => {
  const facts = await look(await makeHome(t));
  assert.deepEqual(names(facts), [
    'home/.',
    'home/audit',
    'home/client',
    'home/client/token',
    'home/config.json',
    'home/identity',
    'home/identity/p2p.sealed',
    'home/identity/public.json',
    'home/keys.json',
    'home/store',
    'home/store/index',
    'home/tls/server.key',
    'home/tokens.json',
  ]);
  assert.deepEqual(valuesOf(facts, 'file', 'home/keys.json'), {
    'file.purpose': 'key-store',
    'file.path': 'keys.json',
    'file.mode': 0o600,
    'file.ownerIsNode': true,
    'file.ownerUid': UID,
    'file.symlink': false,
    'file.insideHome': true,
    'file.onSameDevice': { absent: 'asked of files outside the node alone' },
    'file.foldersSafe': { absent: 'asked of the home and of files outside it' },
    'file.sealed': true,
    'file.private': true,
  });
  assert.equal(valuesOf(facts, 'file', 'home/identity/public.json')['file.private'], false);
  assert.equal(valuesOf(facts, 'file', 'home/.')['file.foldersSafe'], true);
});

test('lists what is odd wherever it is: modes, setuid, links, owners', async (t) => {
  const home = await makeHome(t);
  await chmod(join(home, 'store', 'blocks', 'one'), 0o640);
  await chmod(join(home, 'run', 'node.json'), 0o4700);
  await symlink('/etc/passwd', join(home, 'store', 'blocks', 'two'));
  const facts = await look(home);
  const odd = names(facts).filter((name) => /blocks|run/.test(name));
  assert.deepEqual(odd, ['home/run/node.json', 'home/store/blocks/one', 'home/store/blocks/two']);
  assert.equal(valuesOf(facts, 'file', 'home/store/blocks/one')['file.mode'], 0o640);
  assert.equal(valuesOf(facts, 'file', 'home/store/blocks/two')['file.symlink'], true);

  const foreign = await look(home, { owners: [UID + 1] });
  assert.equal(valuesOf(foreign, 'file', 'home/keys.json')['file.ownerIsNode'], false);
  assert.ok(names(foreign).includes('home/run'), 'everything belongs to somebody else');
});

test('lists so many odd files and no more', async (t) => {
  const home = await makeHome(t);
  for (let index = 0; index < 100; index += 1) {
    await writeFile(join(home, 'store', 'blocks', `b${index}`), '');
    await chmod(join(home, 'store', 'blocks', `b${index}`), 0o666);
  }
  assert.equal(names(await look(home)).filter((name) => name.includes('blocks')).length, 64);
});

test('tells a bare key from a sealed one', async (t) => {
  const home = await makeHome(t);
  await writeFile(join(home, 'identity', 'p2p.sealed'), '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n');
  await writeFile(join(home, 'identity', 'token.sealed'), randomBytes(93).fill(0, 0, 1), { mode: 0o600 });
  await writeFile(join(home, 'keys.json'), keyStore(Buffer.from('thirty-two bytes of a root key..')));
  const facts = await look(home);
  for (const name of ['identity/p2p.sealed', 'identity/token.sealed', 'keys.json']) {
    assert.equal(valuesOf(facts, 'file', `home/${name}`)['file.sealed'], false, name);
  }
});

test('looks at the key file where it lies, and at the folders above it', async (t) => {
  const home = await makeHome(t);
  const outer = join(home, '..', 'keys');
  await mkdir(outer, { mode: 0o700 });
  const path = join(outer, 'root.key');
  await writeFile(path, randomBytes(32), { mode: 0o600 });
  const file: OutsideFile = { purpose: 'root-key', path, owners: [UID] };
  const seen = valuesOf(await look(home, { outside: [file] }), 'file', path);
  assert.deepEqual(
    [seen['file.mode'], seen['file.insideHome'], seen['file.onSameDevice'], seen['file.foldersSafe']],
    [0o600, false, true, true],
  );
  await chmod(path, 0o440);
  const { gid: readers } = await stat(path);
  const shared = async (file: OutsideFile) =>
    valuesOf(await look(home, { outside: [file] }), 'file', path)['file.mode'];
  assert.equal(await shared({ ...file, readers }), 0o400, "the node's own group is nobody else's");
  assert.equal(await shared({ ...file, readers: readers + 1 }), 0o440);
  await chmod(path, 0o460);
  assert.equal(await shared({ ...file, readers }), 0o420, 'to write it is not to read it');
  await chmod(outer, 0o777);
  const unsafe = valuesOf(await look(home, { outside: [file], dataFolder: undefined }), 'file', path);
  assert.equal(unsafe['file.foldersSafe'], false);
  assert.deepEqual(unsafe['file.onSameDevice'], { error: 'where the data lies cannot be seen from here' });

  const link = join(outer, 'link.key');
  await symlink(join(home, 'keys.json'), link);
  const linked = valuesOf(await look(home, { outside: [{ ...file, path: link }] }), 'file', link);
  assert.deepEqual([linked['file.symlink'], linked['file.insideHome']], [true, true]);
});

test('says of a key file that is gone why nothing of it could be seen', async (t) => {
  const home = await makeHome(t);
  const path = join(home, '..', 'gone.key');
  const seen = valuesOf(await look(home, { outside: [{ purpose: 'root-key', path, owners: [] }] }), 'file', path);
  assert.match((seen['file.mode'] as { error: string }).error, /ENOENT/);
});

test('sees no file at all where a place could not be read', async (t) => {
  const home = await makeHome(t);
  const facts = await look(join(home, 'none'));
  assert.match(failureOf(facts, 'files') ?? '', /^home: there is no folder/);
  assert.deepEqual(facts.subjects, []);
});

test('a key file that nobody can name is not seen, which is not that there is none', async (t) => {
  const outside = [{ purpose: 'root-key', path: undefined, owners: [UID] }] as const;
  const subject = (await look(await makeHome(t), { outside })).subjects.find(({ name }) => name === 'the root-key');
  assert.deepEqual(subject?.facts['file.purpose'], { value: 'root-key' });
  for (const fact of ['file.mode', 'file.insideHome', 'file.foldersSafe'] as const) {
    assert.match(JSON.stringify(subject.facts[fact]), /"error":"the configuration, which says where it lies/);
  }
});
