import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { backUpHome } from '../../../../cli/life/backup/back-up-home.ts';
import { findLogFolder } from '../../../../cli/life/backup/newer-log.ts';
import { type RestoreRequest, restoreHome } from '../../../../cli/life/backup/restore-home.ts';
import { openIdentity } from '../../../../cli/life/open-identity.ts';
import { unlockKeys } from '../../../../cli/life/unlock-keys.ts';
import { type BackupStatement, encodeStatement } from '../../../../protocol/backup/statement.ts';
import { type ErrorCode, isNectarError } from '../../../../protocol/errors.ts';
import { fakeTerminal } from '../capture.ts';
import { makeHome, NOW, openHome, type StoredHome } from './stored-home.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-newer-log-'));
const keyFile = join(folder, 'a.key');
const file = join(folder, 'a.backup');
const { signal } = new AbortController();
const { terminal } = fakeTerminal();
const context = { actor: { subject: 'tester' }, requestId: 'r' };
const code = (wanted: ErrorCode) => (error: unknown) => isNectarError(error, wanted) || assert.fail(String(error));
let home = '';
let running: StoredHome;
let [kept, doomed, later] = ['', '', ''];
const body = randomBytes(90_000);

async function backUp(out: string): Promise<void> {
  const keys = await unlockKeys({ home, terminal, keyFile });
  try {
    const identity = await openIdentity(keys, 'checkpoint');
    const signer = { sign: (statement: BackupStatement) => identity.sign(Buffer.from(encodeStatement(statement))) };
    await backUpHome({ home, out, force: true, signer, signal, now: () => NOW, onBytes: () => undefined });
  } finally {
    await keys.stop();
  }
}

const restore = (name: string, change: Partial<RestoreRequest> = {}) =>
  restoreHome({
    ...{ file, home: join(folder, name), check: false, keyFile: undefined, signal },
    ...{ now: () => NOW, onBytes: () => undefined },
    unlock: (of) => unlockKeys({ home: of, terminal, keyFile }),
    ...change,
  });
const logOf = (place: string) => ({ place, folder: findLogFolder(place) ?? assert.fail(place) });

before(async () => {
  home = await makeHome(folder, 'a');
  running = await openHome(home, keyFile);
  kept = await running.put(body);
  doomed = await running.put(body);
  await running.stop();
  await backUp(file);
  running = await openHome(home, keyFile);
  await running.store.shred(doomed as never, context);
  later = await running.put(body);
  await running.stop();
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('without a newer log a file brings back what was destroyed after it', async () => {
  assert.equal((await restore('alone')).log, undefined);
  const restored = await openHome(join(folder, 'alone'), keyFile);
  assert.ok(body.equals(await restored.get(doomed)));
  await restored.stop();
});

test('with the log of the old home what was destroyed stays destroyed, and what the file lacks is named as lost', async () => {
  const { log } = await restore('with-log', { log: logOf(home) });
  assert.ok((log?.newer ?? 0) >= 2, JSON.stringify(log));
  const restored = await openHome(join(folder, 'with-log'), keyFile);
  try {
    assert.deepEqual(restored.store.readiness(), { ready: true });
    assert.ok(body.equals(await restored.get(kept)));
    await assert.rejects(restored.get(doomed), code('STORE_RECORD_SHREDDED'));
    await assert.rejects(restored.get(later), code('STORE_RECORD_LOST'));
    await restored.put(Buffer.from('goes on'));
  } finally {
    await restored.stop();
  }
  const again = await openHome(join(folder, 'with-log'), keyFile);
  await assert.rejects(again.get(doomed), code('STORE_RECORD_SHREDDED'));
  await again.stop();
});

test('a log that went on under a new root key is taken with the key list beside it, and not without', async () => {
  const old = await makeHome(folder, 'c');
  const opensBy = join(folder, 'c.key');
  const unlock = (of: string) => unlockKeys({ home: of, terminal, keyFile: opensBy });
  let node = await openHome(old, opensBy);
  const destroyed = await node.put(body);
  await node.stop();
  const out = join(folder, 'c.backup');
  const keys = await unlock(old);
  const identity = await openIdentity(keys, 'checkpoint');
  const signer = { sign: (statement: BackupStatement) => identity.sign(Buffer.from(encodeStatement(statement))) };
  await backUpHome({ home: old, out, force: true, signer, signal, now: () => NOW, onBytes: () => undefined });
  await keys.replaceRoot({ without: [] });
  await keys.settleRoot();
  await keys.stop();
  node = await openHome(old, opensBy);
  await node.store.shred(destroyed as never, context);
  await node.stop();

  const bare = join(folder, 'c-bare', 'audit');
  cpSync(join(old, 'audit'), bare, { recursive: true });
  const of = { file: out, unlock };
  await assert.rejects(restore('c-refused', { ...of, log: { place: bare, folder: bare } }), (error) => {
    code('BACKUP_LOG_REFUSED')(error);
    return /sealed by a key that came after the backup/.test(String((error as Error).message));
  });
  const { log } = await restore('c-restored', { ...of, log: logOf(old) });
  assert.ok((log?.newer ?? 0) >= 1, JSON.stringify(log));
  const restored = await openHome(join(folder, 'c-restored'), opensBy);
  await assert.rejects(restored.get(destroyed), code('STORE_RECORD_SHREDDED'));
  await restored.put(Buffer.from('goes on'));
  await restored.stop();
  // What the restored node writes is one log, which its own list opens whole.
  const again = await openHome(join(folder, 'c-restored'), opensBy);
  await assert.rejects(again.get(destroyed), code('STORE_RECORD_SHREDDED'));
  await again.stop();
});

test('a bare copy of the log is one as well; one that is damaged, forked or of another node is refused, and nothing restored', async () => {
  const bare = join(folder, 'bare');
  cpSync(join(home, 'audit'), bare, { recursive: true });
  assert.ok(((await restore('bare-log', { log: logOf(bare) })).log?.newer ?? 0) >= 2);

  const damaged = join(folder, 'damaged');
  cpSync(bare, damaged, { recursive: true });
  const bundle = join(damaged, 'bodies', '000');
  const bytes = readFileSync(bundle);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  writeFileSync(bundle, bytes);

  const other = await makeHome(folder, 'b');
  const foreign = await openHome(other, join(folder, 'b.key'));
  for (let i = 0; i < 12; i += 1) await foreign.put(Buffer.from('x'));
  await foreign.stop();

  // Of the same node and signed by it, but not what the backup goes on to: a copy that worked on beside it.
  const fork = join(folder, 'fork');
  await restore('fork', {});
  const forked = await openHome(fork, keyFile);
  for (let i = 0; i < 12; i += 1) await forked.put(Buffer.from('x'));
  await forked.stop();
  const newer = join(folder, 'newer.backup');
  await backUp(newer);

  for (const [name, place, of] of [
    ['damaged', damaged, file],
    ['foreign', other, file],
    ['forked', fork, newer],
  ] as const) {
    await assert.rejects(restore(`refused-${name}`, { file: of, log: logOf(place) }), code('BACKUP_LOG_REFUSED'), name);
    assert.deepEqual(
      readdirSync(folder).filter((found) => found.startsWith('refused-')),
      [],
    );
  }
});
