import assert from 'node:assert/strict';
import { constants, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import {
  createDurableFiles,
  diskError,
  type FileSystem,
  isDiskFull,
  isStaged,
  nodeFiles,
  replaceFile,
} from '../../../appliance/durable-file.ts';
import { givePieceBack, takePiece } from '../../../appliance/page-memory.ts';
import { isNectarError } from '../../../protocol/errors.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nectar-durable-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const read = (name: string): string => readFileSync(at(name), 'utf8');

/** Staged names are random: `staged` stands for each. */
const nameOf = (path: string): string => (isStaged(path) ? 'staged' : path === folder ? 'folder' : basename(path));

/** The real file system, which says what it is asked, and fails with `code` at the step that `failing` names. */
function watched(failing: { at?: string; code?: string } = {}): { files: FileSystem; steps: string[] } {
  const steps: string[] = [];
  const step = (name: string): void => {
    steps.push(name);
    if (name === failing.at) throw Object.assign(new Error(name), { code: failing.code ?? 'ENOSPC' });
  };
  const open = async (path: string, flags: string, mode?: number) => {
    const handle = await nodeFiles.open(path, flags, mode);
    return {
      writeFile: async (content: Uint8Array | string) => {
        await handle.writeFile(content.slice(0, Math.ceil(content.length / 2)));
        step(`write ${nameOf(path)}`);
        await handle.writeFile(content.slice(Math.ceil(content.length / 2)));
      },
      sync: async () => {
        step(`sync ${nameOf(path)}`);
        await handle.sync();
      },
      close: () => handle.close(),
    };
  };
  const files = {
    ...nodeFiles,
    open,
    rename: async (from: string, to: string) => {
      step(`rename ${nameOf(from)} ${nameOf(to)}`);
      await nodeFiles.rename(from, to);
    },
    link: async (from: string, to: string) => {
      step(`link ${nameOf(from)} ${nameOf(to)}`);
      await nodeFiles.link(from, to);
    },
  } as unknown as FileSystem;
  return { files, steps };
}

test('syncs a file before it gets its name, and its folder after', async () => {
  const { files, steps } = watched();
  await createDurableFiles(files).replaceFile(at('a'), 'new', 0o600);
  assert.deepEqual(steps, ['write staged', 'sync staged', 'rename staged a', 'sync folder']);
  assert.deepEqual([read('a'), statSync(at('a')).mode & 0o777], ['new', 0o600]);
});

test('writes and syncs many before the first gets its name, and syncs their folder once', async () => {
  const { files, steps } = watched();
  const many = ['a', 'b', 'c'].map((name) => ({ path: at(name), content: Buffer.from(name), mode: 0o640 }));
  await createDurableFiles(files).replaceFiles(many);
  assert.equal(steps.lastIndexOf('sync staged') < steps.indexOf('rename staged a'), true, steps.join());
  assert.deepEqual(steps.slice(-4), ['rename staged a', 'rename staged b', 'rename staged c', 'sync folder']);
  assert.deepEqual(readdirSync(folder).sort(), ['a', 'b', 'c']);
});

for (const code of ['ENOSPC', 'EDQUOT']) {
  for (const step of ['write staged', 'sync staged', 'rename staged a']) {
    test(`keeps the old file, and nothing else, where ${code} ends it at: ${step}`, async () => {
      writeFileSync(at('a'), 'old');
      const durable = createDurableFiles(watched({ at: step, code }).files);
      for (const work of [
        () => durable.replaceFile(at('a'), 'new', 0o600),
        () => durable.replaceFiles([{ path: at('a'), content: 'new', mode: 0o600 }]),
      ]) {
        await assert.rejects(work, (error) => isNectarError(error, 'NODE_DISK_FULL'));
        assert.deepEqual([readdirSync(folder), read('a')], [['a'], 'old']);
      }
    });
  }
}

test('hands other errors through as they are', async () => {
  const durable = createDurableFiles(watched({ at: 'sync staged', code: 'EIO' }).files);
  await assert.rejects(durable.replaceFile(at('a'), 'new', 0o600), { code: 'EIO' });
  assert.deepEqual(readdirSync(folder), []);
});

test('waits for every write of many before it gives up', async () => {
  const durable = createDurableFiles(watched({ at: 'write staged' }).files);
  const many = ['a', 'b', 'c'].map((name) => ({ path: at(name), content: name, mode: 0o600 }));
  await assert.rejects(durable.replaceFiles(many), (error) => isNectarError(error, 'NODE_DISK_FULL'));
  assert.deepEqual(readdirSync(folder), []);
});

test('replaces a symbolic link in the way, and leaves what it points to', async () => {
  writeFileSync(at('elsewhere'), 'another');
  symlinkSync(at('elsewhere'), at('a'));
  await replaceFile(at('a'), 'new', 0o600);
  assert.deepEqual([read('a'), read('elsewhere')], ['new', 'another']);
});

test('lets two writers of one file each put a whole one in place', async () => {
  const contents = Array.from({ length: 20 }, (_, n) => String(n % 10).repeat(10_000));
  await Promise.all(contents.map((content) => replaceFile(at('a'), content, 0o600)));
  assert.ok(contents.includes(read('a')));
  assert.deepEqual(readdirSync(folder), ['a']);
});

test('creates a file only where there is none, and leaves what is there', async () => {
  const { files, steps } = watched();
  const durable = createDurableFiles(files);
  await durable.createFile(at('a'), 'first', 0o600);
  assert.deepEqual(steps, ['write staged', 'sync staged', 'link staged a', 'sync folder']);
  await assert.rejects(durable.createFile(at('a'), 'second', 0o600), { code: 'EEXIST' });
  symlinkSync(at('nowhere'), at('b'));
  await assert.rejects(durable.createFile(at('b'), 'third', 0o600), { code: 'EEXIST' });
  assert.deepEqual([readdirSync(folder).sort(), read('a')], [['a', 'b'], 'first']);
});

test('creates files where the file system has no hard links', async () => {
  const durable = createDurableFiles(watched({ at: 'link staged a', code: 'EPERM' }).files);
  await durable.createFile(at('a'), 'first', 0o600);
  await assert.rejects(durable.createFile(at('a'), 'second', 0o600), { code: 'EEXIST' });
  assert.deepEqual([readdirSync(folder), read('a')], [['a'], 'first']);
});

test('removes what a crash left staged, and no file of a write that may be under way', async () => {
  const [left, fresh, other] = ['.nectar-0123456789abcdef.new', '.nectar-fedcba9876543210.new', '.nectar-x.new'];
  for (const name of [left, fresh, other]) writeFileSync(at(name), 'half');
  const now = Date.now();
  for (const name of [left, other]) utimesSync(at(name), now / 1000 - 3_700, now / 1000 - 3_700);
  await createDurableFiles(nodeFiles, () => now).replaceFile(at('a'), 'new', 0o600);
  assert.deepEqual(readdirSync(folder).sort(), [fresh, other, 'a']);
});

test('makes the entries of new folders durable, up to the first that was there', async () => {
  const { files, steps } = watched();
  await createDurableFiles(files).makeFolder(join(folder, 'x', 'y'));
  assert.deepEqual(steps, ['sync x', 'sync folder']);
  assert.equal(statSync(join(folder, 'x', 'y')).mode & 0o777, 0o700);
});

test('knows a full disk by its codes and by the texts of those who pass no code on', () => {
  for (const code of ['ENOSPC', 'EDQUOT']) assert.ok(isDiskFull(Object.assign(new Error('x'), { code })));
  const leveldb = new Error('Database failed to open', {
    cause: new Error('IO error: /h/000005.log: No space left on device'),
  });
  assert.ok(isDiskFull(leveldb));
  assert.ok(isDiskFull(new Error('IO error: /h/1.ldb: Disk quota exceeded')));
  assert.ok(isNectarError(diskError(leveldb, '/h'), 'NODE_DISK_FULL'));
  for (const other of [undefined, null, 'ENOSPC', new Error('x'), Object.assign(new Error('x'), { code: 'EIO' })]) {
    assert.equal(isDiskFull(other), false);
    assert.equal(diskError(other, '/h'), other);
  }
});

for (const refusal of ['open', 'write'] as const) {
  test(`whole pages are written in the ordinary way where ${refusal} refuses direct ones, and from then on at once`, async () => {
    const asked: string[] = [];
    const refuse = () => Promise.reject(Object.assign(new Error('no direct writes here'), { code: 'EINVAL' }));
    const open = async (path: string, flags: number, mode?: number) => {
      const direct = (flags & constants.O_DIRECT) !== 0;
      asked.push(direct ? 'direct' : 'ordinary');
      // As Linux does: the file is there when open says that it cannot be opened so.
      const handle = await nodeFiles.open(path, flags & ~constants.O_DIRECT, mode);
      if (!direct) return handle;
      if (refusal === 'write') return { writeFile: refuse, sync: () => handle.sync(), close: () => handle.close() };
      await handle.close();
      return refuse();
    };
    const files = { ...nodeFiles, open } as unknown as FileSystem;
    const durable = createDurableFiles(files);
    const piece = takePiece().fill(7);
    await durable.writeStaged(at('a'), piece, 0o600);
    await durable.writeStaged(at('b'), piece, 0o600);
    assert.deepEqual(asked, ['direct', 'ordinary', 'ordinary']);
    assert.ok(['a', 'b'].every((name) => readFileSync(at(name)).equals(piece)));
    await assert.rejects(durable.writeStaged(at('a'), piece, 0o600), { code: 'EEXIST' });
    givePieceBack(piece);
  });
}

test('whole pages are the file, byte for byte, and never take the place of one that is there', async () => {
  const piece = takePiece();
  for (let i = 0; i < piece.length; i++) piece[i] = i % 251;
  const durable = createDurableFiles(nodeFiles);
  await durable.writeStaged(at('a'), piece, 0o600);
  assert.ok(readFileSync(at('a')).equals(piece));
  assert.equal(statSync(at('a')).mode & 0o777, 0o600);
  symlinkSync(at('nowhere'), at('b'));
  for (const name of ['a', 'b']) await assert.rejects(durable.writeStaged(at(name), piece, 0o600), { code: 'EEXIST' });
  givePieceBack(piece);
});

test('makes a folder by a relative name, of one letter too', { timeout: 60_000 }, async () => {
  const before = process.cwd();
  process.chdir(folder);
  try {
    await createDurableFiles(nodeFiles).makeFolder('x');
  } finally {
    process.chdir(before);
  }
  assert.deepEqual(readdirSync(folder), ['x']);
});
