import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pack } from 'tar-stream';
import { createArchivePlace } from '../../../../hardening/collectors/archive-place.ts';
import { createFolderPlace } from '../../../../hardening/collectors/folder-place.ts';
import type { Place } from '../../../../hardening/collectors/place.ts';
import { readTar } from '../../../../hardening/collectors/read-tar.ts';

const signal = new AbortController().signal;
const LONG = `${'long-name-'.repeat(24)}end`;

interface Member {
  readonly name: string;
  readonly type?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly mtime?: Date;
  readonly linkname?: string;
  readonly pax?: Readonly<Record<string, string>>;
}
type Add = (member: Member, content?: string) => void;

/** An archive as an engine sends it, in pieces of the given size. */
async function archive(fill: (add: Add) => void, pieceBytes = 1000): Promise<Uint8Array[]> {
  const tar = pack();
  // The product writes files and folders alone, and so are the types that it has of this package.
  fill((member, content = '') => (tar.entry as Add).call(tar, member, content));
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  return Array.from({ length: Math.ceil(whole.length / pieceBytes) }, (_, index) =>
    whole.subarray(index * pieceBytes, (index + 1) * pieceBytes),
  );
}

async function* stream(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

function sample(add: Add): void {
  add({ name: 'store', type: 'directory', mode: 0o700, uid: 64002 });
  add({ name: 'store/a', mode: 0o600, uid: 64002, mtime: new Date(1000) }, 'first');
  add({ name: `store/${LONG}`, mode: 0o4755, uid: 0 }, 'x'.repeat(1500));
  add({ name: 'store/link', type: 'symlink', linkname: '/etc/passwd' });
}

async function list(place: Place, path?: string): Promise<[string, string, number, string][]> {
  const seen: [string, string, number, string][] = [];
  for await (const entry of place.entries(signal, path)) {
    let content = '';
    for await (const chunk of entry.content()) content += Buffer.from(chunk).toString('latin1');
    seen.push([entry.path, entry.type, entry.mode, content]);
  }
  return seen;
}

function fromEngine(pieces: readonly Uint8Array[] | undefined, asked: string[] = []): Place {
  return createArchivePlace(
    { name: 'store', volume: 'nectar-1f2e3d4c-store', container: 'c', mountedAt: '/nectar/store', owners: [64002] },
    {
      getStream: async (path) => {
        asked.push(path);
        return pieces === undefined ? undefined : stream(pieces);
      },
    },
  );
}

test('reads members whatever the pieces in which an archive comes, and passes over what is not read', async () => {
  for (const pieceBytes of [1, 7, 511, 512, 513, 100_000]) {
    const names: string[] = [];
    for await (const entry of readTar(stream(await archive(sample, pieceBytes)))) names.push(entry.path);
    assert.deepEqual(names, ['store', 'store/a', `store/${LONG}`, 'store/link']);
  }
});

test('tells modes, owners, kinds and times of the members of an archive', async () => {
  const entries = [];
  for await (const entry of readTar(stream(await archive(sample)))) entries.push(entry);
  const [folder, file, odd, link] = entries;
  assert.deepEqual([folder?.type, folder?.mode, folder?.uid], ['folder', 0o700, 64002]);
  assert.deepEqual([file?.type, file?.bytes, file?.modifiedAt], ['file', 5, 1000]);
  assert.equal(odd?.mode, 0o4755);
  assert.deepEqual([link?.type, link?.linkTarget], ['symlink', '/etc/passwd']);
});

test('keeps the extended attributes of a member, and of that one alone', async () => {
  const pieces = await archive((add) => {
    add({ name: 'a', pax: { 'SCHILY.xattr.security.capability': '\u0001\u0000x' } }, 'a');
    add({ name: 'b' }, 'b');
  });
  const records: (string | undefined)[] = [];
  for await (const entry of readTar(stream(pieces))) records.push(entry.records['SCHILY.xattr.security.capability']);
  assert.deepEqual(records, ['\u0001\u0000x', undefined]);
});

test('throws for an archive that was cut off, wherever that was', async () => {
  const whole = Buffer.concat(await archive(sample));
  for (const bytes of [0, 100, 512, 700, 1024, 2000, whole.length - 1025]) {
    await assert.rejects(async () => {
      for await (const _ of readTar(stream([whole.subarray(0, bytes)])));
    }, /cut off/);
  }
});

test('throws for what is no archive', async () => {
  await assert.rejects(async () => {
    for await (const _ of readTar(stream([Buffer.alloc(1024, 'no')])));
  }, /not an archive|is none/);
});

test('shows a volume by paths below it, and asks the engine for the part that is wanted', async () => {
  const asked: string[] = [];
  const seen = await list(fromEngine(await archive(sample), asked));
  assert.deepEqual(
    seen.map(([path, type, mode]) => [path, type, mode]),
    [
      ['', 'folder', 0o700],
      ['a', 'file', 0o600],
      [LONG, 'file', 0o4755],
      ['link', 'symlink', 0o644],
    ],
  );
  assert.equal(seen[1]?.[3], 'first');
  assert.deepEqual(asked, ['/containers/c/archive?path=%2Fnectar%2Fstore']);
  const part = await archive((add) => add({ name: 'keys.json', mode: 0o600 }, '{}'));
  assert.deepEqual(await list(fromEngine(part, asked), 'keys.json'), [['keys.json', 'file', 0o600, '{}']]);
  assert.equal(asked.at(-1), '/containers/c/archive?path=%2Fnectar%2Fstore%2Fkeys.json');
});

test('lists nothing of a part that is not there, and throws where the volume itself is not', async () => {
  assert.deepEqual(await list(fromEngine(undefined), 'keys.json'), []);
  await assert.rejects(list(fromEngine(undefined)), /no \/nectar\/store in c/);
});

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'nectar-place-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

test('lists a folder with modes, and never follows a link', async (t) => {
  const root = await folder(t);
  await mkdir(join(root, 'store'), { mode: 0o700 });
  await writeFile(join(root, 'store', 'a'), 'first', { mode: 0o600 });
  await chmod(join(root, 'store', 'a'), 0o4755);
  await symlink('/etc', join(root, 'store', 'elsewhere'));
  const place = createFolderPlace({ name: 'home', folder: root, owners: [0] });
  assert.deepEqual(
    (await list(place)).map(([path, type, , content]) => [path, type, content]),
    [
      ['', 'folder', ''],
      ['store', 'folder', ''],
      ['store/a', 'file', 'first'],
      ['store/elsewhere', 'symlink', ''],
    ],
  );
  assert.equal((await list(place, 'store/a'))[0]?.[2], 0o4755);
  assert.deepEqual(await list(place, 'store/none'), []);
  await assert.rejects(list(createFolderPlace({ name: 'home', folder: join(root, 'none'), owners: [] })), /no folder/);
});

test('passes over a file that a running node removes while it is looked at', async (t) => {
  const root = await folder(t);
  for (const name of ['a', 'b', 'c']) await writeFile(join(root, name), name);
  const place = createFolderPlace({ name: 'home', folder: root, owners: [0] });
  const seen: string[] = [];
  for await (const entry of place.entries(signal)) {
    if (entry.path === '') continue;
    if (entry.path === 'a') await rm(join(root, 'b'));
    if (entry.path === 'c') await rm(join(root, 'c'));
    for await (const chunk of entry.content()) seen.push(Buffer.from(chunk).toString());
  }
  assert.deepEqual(seen, ['a']);
});
