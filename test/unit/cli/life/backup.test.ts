import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { verifyAuditFolder } from '../../../../appliance/audit/index.ts';
import { readPublicIdentity } from '../../../../appliance/config/index.ts';
import { atOneKeyList } from '../../../../cli/life/backup/at-one-key-list.ts';
import { backUpHome } from '../../../../cli/life/backup/back-up-home.ts';
import { pinHome } from '../../../../cli/life/backup/collect.ts';
import { readTar } from '../../../../cli/life/backup/read-tar.ts';
import { type RestoreRequest, restoreHome } from '../../../../cli/life/backup/restore-home.ts';
import { openIdentity } from '../../../../cli/life/open-identity.ts';
import { unlockKeys } from '../../../../cli/life/unlock-keys.ts';
import { type BackupStatement, encodeStatement } from '../../../../protocol/backup/statement.ts';
import { encodeTarHeader, tarPadding } from '../../../../protocol/backup/tar-header.ts';
import { type ErrorCode, isNectarError, NectarError } from '../../../../protocol/errors.ts';
import { fakeTerminal } from '../capture.ts';
import { makeHome, NOW, openHome, type StoredHome } from './stored-home.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-backup-'));
const keyFile = join(folder, 'a.key');
const file = join(folder, 'a.backup');
const { signal } = new AbortController();
const { terminal } = fakeTerminal();
const bodies = new Map<string, Buffer>();
let home = '';
let running: StoredHome;

const put = async (bytes: number): Promise<void> => {
  const body = randomBytes(bytes);
  bodies.set(await running.put(body), body);
};

async function backUp(out: string, onIndexPinned?: () => Promise<void>): ReturnType<typeof backUpHome> {
  const keys = await unlockKeys({ home, terminal, keyFile });
  try {
    const identity = await openIdentity(keys, 'checkpoint');
    const signer = {
      sign: (statement: BackupStatement) => identity.sign(Buffer.from(encodeStatement(statement))),
    };
    return await backUpHome({
      ...{ home, out, force: true, signer, signal, now: () => NOW, onBytes: () => undefined },
      ...(onIndexPinned !== undefined && {
        pin: (spool: string) => pinHome({ home, spool, now: () => NOW, onIndexPinned }),
      }),
    });
  } finally {
    await keys.stop();
  }
}

const restore = (name: string, change: Partial<RestoreRequest> & { key?: string } = {}) =>
  restoreHome({
    file,
    home: join(folder, name),
    check: false,
    keyFile: undefined,
    signal,
    now: () => NOW,
    onBytes: () => undefined,
    unlock: (restored) => unlockKeys({ home: restored, terminal, keyFile: change.key }),
    ...change,
  });

before(async () => {
  home = await makeHome(folder, 'a');
  running = await openHome(home, keyFile);
  for (const bytes of [0, 10, 70_000, 3_000_000]) await put(bytes);
  await backUp(file);
});

after(async () => {
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('restores every record of a node that went on running', async () => {
  const known = new Map(bodies);
  await put(100_000);
  const { header, entries } = await restore('restored');
  assert.equal(header.nodeId, readPublicIdentity(home).nodeId);
  assert.ok(entries > 15, String(entries));
  const restored = await openHome(join(folder, 'restored'), keyFile);
  try {
    for (const [id, body] of known) assert.ok(body.equals(await restored.get(id)), id);
    const { findings } = await restored.store.scrub(() => undefined, signal);
    assert.deepEqual(findings, []);
    assert.equal(restored.store.stats().records, known.size);
  } finally {
    await restored.stop();
  }
  const { checkpointVkey } = readPublicIdentity(home);
  const verdict = await verifyAuditFolder({ folder: join(folder, 'restored/audit'), vkey: checkpointVkey });
  assert.equal(verdict.integrity, 'ok');
});

test('is consistent while records are put and destroyed as fast as they go', async () => {
  const alive: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const abort = new AbortController();
    const before = [...alive];
    const doomed = before.splice(0, 8);
    alive.splice(0, 8);
    const writing = (async () => {
      while (!abort.signal.aborted) {
        const sizes = Array.from({ length: 16 }, (_, i) => (i % 4 === 0 ? 1_200_000 : 30_000));
        alive.push(...(await Promise.all(sizes.map((bytes) => running.put(randomBytes(bytes))))));
        const id = doomed.pop();
        if (id !== undefined) await running.store.shred(id as never, { actor: { subject: 't' }, requestId: 'r' });
      }
    })();
    const out = join(folder, `busy-${round}`);
    await backUp(out);
    abort.abort();
    await writing;
    const target = `busy-home-${round}`;
    await restore(target, { file: out });
    const restored = await openHome(join(folder, target), keyFile);
    try {
      for (const id of before.slice(-20)) assert.ok((await restored.get(id)).length >= 30_000);
      const { findings } = await restored.store.scrub(() => undefined, signal);
      // A leaf without a record is a put or a deletion under way. Only of what was being destroyed a block may be missing.
      const other = findings.filter(({ code }) => code !== 'STORE_RECORD_UNACCOUNTED');
      assert.ok(
        other.every((finding) => 'recordId' in finding && !before.includes(String(finding.recordId))),
        JSON.stringify(other),
      );
    } finally {
      await restored.stop();
    }
    rmSync(join(folder, target), { recursive: true });
    rmSync(out);
  }
});

test('a node that worked while it was copied comes up usable, and names as lost what came after its index', async () => {
  const kept = await running.put(Buffer.from('kept'));
  const doomed = await running.put(Buffer.from('doomed'));
  let made = '';
  const out = join(folder, 'between');
  await backUp(out, async () => {
    made = await running.put(Buffer.from('made'));
    await running.store.shred(doomed as never, { actor: { subject: 't' }, requestId: 'r' });
    await running.put(Buffer.from('so that a leaf states a later generation'));
  });
  await restore('between-home', { file: out });
  const at = join(folder, 'between-home');
  cpSync(join(at, 'store/index'), join(folder, 'between-index'), { recursive: true });
  let restored = await openHome(at, keyFile);
  assert.deepEqual(restored.store.readiness(), { ready: true });
  assert.deepEqual(restored.store.condition().restored, { backupCreatedAt: new Date(NOW).toISOString(), missing: 2 });
  assert.equal((await restored.get(kept)).toString(), 'kept');
  await assert.rejects(restored.get(made), { code: 'STORE_RECORD_LOST' });
  await assert.rejects(restored.get(doomed), { code: 'STORE_RECORD_SHREDDED' });
  const fresh = await restored.put(Buffer.from('goes on'));
  await restored.stop();
  restored = await openHome(at, keyFile);
  assert.deepEqual([restored.store.readiness(), restored.store.condition().restored], [{ ready: true }, undefined]);
  assert.equal((await restored.get(fresh)).toString(), 'goes on');
  await restored.stop();
  // The declaration was for once: the restored index put back later is an older index like any other.
  rmSync(join(at, 'store/index'), { recursive: true });
  cpSync(join(folder, 'between-index'), join(at, 'store/index'), { recursive: true });
  restored = await openHome(at, keyFile);
  assert.equal(restored.store.condition().index.state, 'behind');
  await assert.rejects(restored.get(fresh), { code: 'STORE_RECORD_LOST' });
  await restored.stop();
});

test('an index put back without a restore is not accepted, whatever backup it is from', async () => {
  await restore('put-back', { file });
  const at = join(folder, 'put-back');
  let restored = await openHome(at, keyFile);
  await restored.stop();
  cpSync(join(at, 'store/index'), join(folder, 'put-back-index'), { recursive: true });
  restored = await openHome(at, keyFile);
  await restored.put(Buffer.from('one'));
  await restored.put(Buffer.from('two'));
  await restored.stop();
  rmSync(join(at, 'store/index'), { recursive: true });
  cpSync(join(folder, 'put-back-index'), join(at, 'store/index'), { recursive: true });
  restored = await openHome(at, keyFile);
  assert.equal(restored.store.condition().index.state, 'behind');
  await assert.rejects(restored.put(Buffer.from('three')), { code: 'STORE_INDEX_BEHIND' });
  await restored.stop();
});

test('keys and log are of one moment, however often the keys were rotated meanwhile', async () => {
  const list = ['1', '2', '3', '4', '4'].map((text) => Buffer.from(text));
  const pinned: string[] = [];
  await atOneKeyList(
    async () => list.shift() ?? Buffer.from('4'),
    async () => void pinned.push(String(list[0])),
  );
  assert.equal(pinned.length, 3);
  let turn = 0;
  const never = atOneKeyList(
    async () => {
      turn += 1;
      return Buffer.from(String(turn));
    },
    async () => undefined,
  );
  await assert.rejects(never, { code: 'BACKUP_SOURCE_UNSTABLE' });
});

test('holds nothing that is in clear at rest beyond what a restore needs, and never the key file', async () => {
  const bytes = readFileSync(file);
  const secrets = [keyFile, join(home, 'tls/server.key'), join(home, 'client/token')].map((path) => readFileSync(path));
  for (const secret of secrets) assert.equal(bytes.includes(secret.subarray(0, 32)), false);
  assert.equal(statSync(file).mode & 0o077, 0);
  const token = readFileSync(join(home, 'client/token'), 'utf8');
  assert.notEqual(readFileSync(join(folder, 'restored/client/token'), 'utf8'), token);
  const tokens = JSON.parse(readFileSync(join(folder, 'restored/tokens.json'), 'utf8')).tokens as {
    revokedAt?: string;
  }[];
  assert.deepEqual(
    tokens.map(({ revokedAt }) => revokedAt !== undefined),
    [true, false],
  );
});

const rejects = async (
  code: ErrorCode,
  name: string,
  change: Partial<RestoreRequest> & { key?: string } = {},
): Promise<void> => {
  const before = readdirSync(folder).toSorted();
  await assert.rejects(restore(name, change), (error) => isNectarError(error, code) || assert.fail(String(error)));
  assert.deepEqual(readdirSync(folder).toSorted(), before, 'nothing is left behind');
};

test('refuses a backup that is cut off anywhere, and leaves nothing behind', async () => {
  const bytes = readFileSync(file);
  const cut = join(folder, 'cut');
  writeFileSync(cut, '');
  for (const length of [0, 100, 512, 5000, 20_000, bytes.length >> 1, bytes.length - 3000, bytes.length - 1]) {
    writeFileSync(cut, bytes.subarray(0, length));
    await rejects('BACKUP_TRUNCATED', 'never', { file: cut });
  }
  rmSync(cut);
});

test('refuses a backup with a changed byte anywhere in it', async () => {
  const bytes = readFileSync(file);
  const path = join(folder, 'changed');
  writeFileSync(path, '');
  const places = [
    5,
    600,
    700,
    5000,
    ...Array.from({ length: 25 }, (_, i) => Math.floor(((i + 0.37) * bytes.length) / 25)),
  ];
  const codes = new Set<string>();
  for (const at of places) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 0x20;
    writeFileSync(path, changed);
    const before = readdirSync(folder).toSorted();
    await assert.rejects(restore('never', { file: path }), (error) => {
      assert.ok(error instanceof NectarError, `byte ${at}: ${error}`);
      codes.add(error.code);
      return true;
    });
    assert.deepEqual(readdirSync(folder).toSorted(), before);
  }
  assert.ok(codes.has('BACKUP_ALTERED') && codes.has('BACKUP_FORMAT_INVALID'), [...codes].join());
  rmSync(path);
});

async function rebuilt(change: (path: string, content: Uint8Array) => Uint8Array | undefined): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const lines: string[] = [];
  for await (const entry of readTar(
    (async function* () {
      yield readFileSync(file);
    })(),
  )) {
    const read: Uint8Array[] = [];
    for await (const chunk of entry.content()) read.push(Buffer.from(chunk));
    let content: Uint8Array = entry.path === 'SHA256SUMS' ? Buffer.from(lines.join('')) : Buffer.concat(read);
    const changed = change(entry.path, content);
    if (changed === undefined) continue;
    content = changed;
    lines.push(`${createHash('sha256').update(content).digest('hex')}  ${entry.path}\n`);
    const { path, modifiedAt } = entry;
    parts.push(
      Buffer.from(encodeTarHeader({ path, size: content.length, modifiedAt })),
      content,
      Buffer.alloc(tarPadding(content.length)),
    );
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

test('refuses a backup whose manifest was made anew: only the node can sign it', async () => {
  const path = join(folder, 'forged');
  writeFileSync(
    path,
    await rebuilt((name, content) => (name === 'network.json' ? Buffer.from('{"forged":1}\n') : content)),
  );
  await rejects('BACKUP_SIGNATURE_INVALID', 'never', { file: path });
  writeFileSync(path, await rebuilt((name, content) => (name === 'audit/checkpoint' ? undefined : content)));
  await rejects('BACKUP_SIGNATURE_INVALID', 'never', { file: path });
  rmSync(path);
});

test('refuses a backup signed by another key, though its public.json names that key', async () => {
  const other = await makeHome(folder, 'b');
  const vkey = readPublicIdentity(other).checkpointVkey;
  const path = join(folder, 'foreign');
  const own = JSON.stringify(readPublicIdentity(home));
  const swap = (name: string, content: Uint8Array) =>
    name === 'identity/public.json'
      ? Buffer.from(JSON.stringify({ ...JSON.parse(own), checkpointVkey: vkey }))
      : content;
  writeFileSync(path, await rebuilt(swap));
  await rejects('BACKUP_SIGNATURE_INVALID', 'never', { file: path });
  rmSync(path);
});

test('says which key is missing or wrong, before it copies the large files', async () => {
  await rejects('KEY_FILE_WRONG', 'never', { key: join(folder, 'b.key') });
  await rejects('KEY_FILE_MISSING', 'never', { key: join(folder, 'none.key') });
});

test('never overwrites a node', async () => {
  await rejects('CLI_HOME_EXISTS', 'a');
});

test('only checks when asked to, and stops when interrupted', async () => {
  const { bytes } = await restore('never', { check: true });
  assert.ok(bytes > 3_000_000);
  assert.equal(existsSync(join(folder, 'never')), false);
  const abort = new AbortController();
  const before = readdirSync(folder).toSorted();
  await assert.rejects(restore('never', { signal: abort.signal, onBytes: () => abort.abort() }), {
    name: 'AbortError',
  });
  assert.deepEqual(readdirSync(folder).toSorted(), before);
});

test('refuses an archive that names a file outside of a home', async () => {
  const path = join(folder, 'hostile');
  const header = readFileSync(file).subarray(0, 1024);
  for (const name of ['../evil', 'client/token', '/etc/passwd', 'store/index/../../../evil']) {
    writeFileSync(
      path,
      Buffer.concat([header, encodeTarHeader({ path: name, size: 0, modifiedAt: 0 }), Buffer.alloc(1024)]),
    );
    await rejects('BACKUP_FORMAT_INVALID', 'never', { file: path });
  }
  assert.equal(existsSync(join(folder, 'evil')), false);
  rmSync(path);
});
