import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { verifyAuditFolder } from '../../../../../appliance/audit/index.ts';
import { readPublicIdentity } from '../../../../../appliance/config/index.ts';
import { pinHome } from '../../../../../cli/life/backup/collect.ts';
import { createFolderTarget } from '../../../../../cli/life/repository/folder-target.ts';
import { pruneRepository } from '../../../../../cli/life/repository/prune-repository.ts';
import type { TakenSnapshot } from '../../../../../cli/life/repository/take-snapshot.ts';
import { type ErrorCode, isNectarError } from '../../../../../protocol/errors.ts';
import { NOW } from '../stored-home.ts';
import { Clinic } from './clinic.ts';

const clinic = new Clinic();
const { signal } = new AbortController();
const code = (wanted: ErrorCode) => (error: unknown) => isNectarError(error, wanted) || assert.fail(String(error));
const bodies = new Map<string, Buffer>();
let [doomedSmall, doomedLarge] = ['', ''];
let first: TakenSnapshot;
let second: TakenSnapshot;

const put = async (bytes: number): Promise<string> => {
  const { id, body } = await clinic.put(bytes);
  bodies.set(id, body);
  return id;
};
const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

before(async () => {
  await clinic.open();
  for (const bytes of [0, 10, 70_000, 3_000_000]) await put(bytes);
  doomedSmall = await put(5_000);
  doomedLarge = await put(2_500_000);
  first = await clinic.backUp();
});
after(() => clinic.close());

test('restores every record of a node that went on running, and its log', async () => {
  await put(100);
  const { snapshot, entries } = await clinic.restore('one');
  assert.equal(snapshot.generation, 1);
  assert.ok(entries > 10);
  const restored = await clinic.openRestored('one');
  try {
    for (const [id, body] of [...bodies].slice(0, 6)) assert.ok(body.equals(await restored.get(id)), id);
    assert.equal(restored.store.stats().records, 6);
    const { findings } = await restored.store.scrub(() => undefined, signal);
    assert.deepEqual(findings, []);
  } finally {
    await restored.stop();
  }
  const { checkpointVkey } = readPublicIdentity(clinic.home);
  const verdict = await verifyAuditFolder({ folder: join(clinic.folder, 'one/audit'), vkey: checkpointVkey });
  assert.equal(verdict.integrity, 'ok');
});

test('a second run brings only what is new', async () => {
  second = await clinic.backUp();
  assert.equal(second.newObjects, 0);
  assert.ok(second.newBytes < 100_000, String(second.newBytes));
  assert.ok(first.newBytes > 5_500_000, String(first.newBytes));
  assert.equal(second.generation, 2);
});

test('a destruction reaches every snapshot with the next run', async () => {
  await clinic.destroy(doomedSmall);
  await clinic.destroy(doomedLarge);
  await clinic.backUp();
  for (const generation of [1, 2, 3]) {
    const name = `destroyed-${generation}`;
    await clinic.restore(name, { generation });
    const restored = await clinic.openRestored(name);
    try {
      for (const id of [doomedSmall, doomedLarge])
        await assert.rejects(restored.get(id), code('STORE_RECORD_SHREDDED'));
      for (const [id, body] of [...bodies].slice(0, 4)) assert.ok(body.equals(await restored.get(id)), id);
    } finally {
      await restored.stop();
    }
  }
});

test('leaves one key table, and nothing else that could hold what opens a record', () => {
  const files = filesBelow(clinic.repository);
  assert.equal(files.filter((path) => path.includes('/keys/')).length, 1);
  // A wrapped key is in a version entry of the index, and those go nowhere but into the table: packs hold small blobs alone.
  assert.ok(files.every((path) => /\/(objects|keys|snapshots)\/|repository\.json$/.test(path)));
});

test('an older snapshot shows the records of its moment', async () => {
  const later = await put(900);
  const id = [...bodies.keys()][1] ?? '';
  const old = bodies.get(id) ?? Buffer.alloc(0);
  const input = { recordId: id as never, contentType: 'text/plain', labels: ['changed'] };
  const changed = Buffer.from('changed since');
  await clinic.running.store.put(input, once(changed), { actor: { subject: 't' }, requestId: 'r' }, signal);
  const newest = await clinic.backUp();
  const { left } = await clinic.restore('then', { generation: 2 });
  assert.equal(left, 2);
  const then = await clinic.openRestored('then');
  try {
    assert.ok(old.equals(await then.get(id)));
    await assert.rejects(then.get(later), code('STORE_RECORD_NOT_FOUND'));
    const { findings } = await then.store.scrub(() => undefined, signal);
    // What the log knows and the snapshot does not: the leaf of what came later.
    assert.deepEqual(new Set(findings.map((finding) => finding.code)), new Set(['STORE_RECORD_UNACCOUNTED']));
  } finally {
    await then.stop();
  }
  await clinic.restore('now', { generation: newest.generation });
  const now = await clinic.openRestored('now');
  try {
    assert.ok(changed.equals(await now.get(id)));
  } finally {
    await now.stop();
  }
});

test('a node that worked while it was copied comes up usable, and names as lost what came after its index', async () => {
  const ids: string[] = [];
  await clinic.backUp({
    pin: (spool) =>
      pinHome({
        ...{ home: clinic.home, spool, now: () => NOW },
        onIndexPinned: async () => {
          for (const bytes of [10, 20]) ids.push((await clinic.put(bytes)).id);
        },
      }),
  });
  for (const [name, generation] of [
    ['busy', undefined],
    ['busy-then', 2],
  ] as const) {
    await clinic.restore(name, { generation });
    const restored = await clinic.openRestored(name);
    try {
      assert.deepEqual(restored.store.readiness(), { ready: true });
      for (const id of ids) await assert.rejects(restored.get(id), code('STORE_RECORD_LOST'));
      assert.equal(restored.store.condition().restored?.missing, 2);
      await restored.put(Buffer.from('goes on'));
    } finally {
      await restored.stop();
    }
  }
});

test('recognises it by what the node has on record, when the memory of the home is lost or older too', async () => {
  const copy = join(clinic.folder, 'older-still');
  const before = await clinic.backUp();
  cpSync(clinic.repository, copy, { recursive: true });
  await clinic.backUp();
  const { generation: onRecord } = await clinic.backUp();
  const target = createFolderTarget(copy);
  for (const known of [undefined, before])
    await assert.rejects(clinic.backUp({ target, known, onRecord }), code('BACKUP_REPOSITORY_BEHIND'));
  // A run that ended between its statement and its snapshot is on record, and no older copy.
  await clinic.backUp({ onRecord: onRecord + 1 });
});

test('recognises a repository whose holder has put an older copy back', async () => {
  const copy = join(clinic.folder, 'older');
  cpSync(clinic.repository, copy, { recursive: true });
  await clinic.backUp();
  const target = createFolderTarget(copy);
  await assert.rejects(clinic.backUp({ target }), code('BACKUP_REPOSITORY_BEHIND'));
  const accepted = await clinic.backUp({ target, acceptOlder: true });
  // The same number twice: whoever shows the other one is found out.
  await assert.rejects(
    clinic.backUp({ known: { ...accepted, noteSha256: 'ab'.repeat(32) }, target }),
    code('BACKUP_REPOSITORY_FORKED'),
  );
});

test('does not begin anew where its repository has vanished, as behind a disk that is not plugged in', async () => {
  const target = createFolderTarget(join(clinic.folder, 'mount-point'));
  await assert.rejects(clinic.backUp({ target }), code('BACKUP_REPOSITORY_BEHIND'));
  assert.deepEqual(
    filesBelow(clinic.folder).filter((path) => path.includes('mount-point')),
    [],
  );
});

test('is refused by the home of another node', async () => {
  await assert.rejects(clinic.backUp({ nodeId: '00'.repeat(16) }), code('BACKUP_REPOSITORY_FOREIGN'));
});

test('replaces nothing with an index that has lost records', async () => {
  const files = filesBelow(clinic.repository).filter((path) => path.includes('/keys/'));
  const other = new Clinic();
  try {
    await other.open();
    await other.put(10);
    await other.backUp();
    const empty = new Clinic();
    await empty.open();
    try {
      const pin = (spool: string) => pinHome({ home: empty.home, spool, now: () => 0 });
      await assert.rejects(other.backUp({ pin }), code('BACKUP_INDEX_SHRUNK'));
    } finally {
      await empty.close();
    }
  } finally {
    await other.close();
  }
  assert.deepEqual(
    filesBelow(clinic.repository).filter((path) => path.includes('/keys/')),
    files,
  );
});

test('refuses to restore with a byte changed in any object that the snapshot needs', async () => {
  const copy = join(clinic.folder, 'changed');
  cpSync(clinic.repository, copy, { recursive: true });
  const target = createFolderTarget(copy);
  let refused = 0;
  const files = filesBelow(copy);
  for (const [i, path] of files.entries()) {
    const bytes = readFileSync(path);
    const at = (i * 7919) % bytes.length;
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    writeFileSync(path, changed);
    await clinic.restore(`changed-${i}`, { target }).then(
      () => assert.ok(isUnneeded(path), path),
      (error: unknown) => {
        refused += 1;
        assert.ok(error instanceof Error && 'code' in error, String(error));
      },
    );
    writeFileSync(path, bytes);
  }
  assert.ok(refused > 8, String(refused));
});

test('goes on from a run that ended anywhere', async () => {
  const fresh = join(clinic.folder, 'interrupted');
  for (let steps = 1; ; steps += 3) {
    rmSync(fresh, { recursive: true, force: true });
    const whole = createFolderTarget(fresh);
    let left = steps;
    const target = {
      ...whole,
      create: async (...of: Parameters<typeof whole.create>) => {
        left -= 1;
        if (left < 0) throw new Error('the plug is pulled');
        return whole.create(...of);
      },
    };
    const ended = await clinic.backUp({ target, known: undefined }).then(
      () => true,
      () => false,
    );
    await clinic.backUp({ target: whole, known: undefined });
    await clinic.restore(`after-${steps}`, { target: whole, check: true });
    assert.equal(filesBelow(fresh).filter((path) => path.includes('/keys/')).length, 1);
    if (ended) return;
  }
});

test('brings again what the repository has lost, a block, a pack or a list', async () => {
  const copy = join(clinic.folder, 'lost');
  cpSync(clinic.repository, copy, { recursive: true });
  const target = createFolderTarget(copy);
  for (const path of filesBelow(copy).filter((file) => file.includes('/objects/'))) rmSync(path);
  await clinic.backUp({ target, known: undefined });
  await clinic.restore('healed', { target });
  const restored = await clinic.openRestored('healed');
  try {
    const { findings } = await restored.store.scrub(() => undefined, signal);
    assert.deepEqual(findings, []);
  } finally {
    await restored.stop();
  }
});

test('prunes snapshots and what only they need, and the rest still restores', async () => {
  const copy = join(clinic.folder, 'pruned');
  cpSync(clinic.repository, copy, { recursive: true });
  const target = createFolderTarget(copy);
  const keys = await clinic.authority();
  const keep = { last: 2, daily: 0, weekly: 0, monthly: 0 };
  const request = { home: clinic.home, target, authority: keys, keep, signal };
  try {
    const count = filesBelow(copy).length;
    const would = await pruneRepository({ ...request, dryRun: true });
    assert.equal(filesBelow(copy).length, count);
    const { kept, removed, objects, bytes } = await pruneRepository({ ...request, dryRun: false });
    assert.deepEqual({ ...would }, { kept, removed, objects, bytes });
    assert.equal(kept.length, 2);
    // The destroyed record of 2.5 MB went with them.
    assert.ok(bytes > 2_500_000, String(bytes));
    assert.equal(filesBelow(copy).length, count - removed.length - objects);
    for (const generation of kept) await clinic.restore(`kept-${generation}`, { target, generation });
    await assert.rejects(clinic.restore('gone', { target, generation: removed[0] }), code('BACKUP_SNAPSHOT_UNKNOWN'));
    assert.equal((await pruneRepository({ ...request, dryRun: false })).objects, 0);
  } finally {
    await keys.close();
  }
});

/** Older notes, and objects that only older snapshots name. */
function isUnneeded(path: string): boolean {
  return path.includes('/snapshots/') || (path.includes('/objects/') && statSync(path).size < 3_000_000);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
