import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  findReportKey,
  makeReportKey,
  parseKeys,
  readKeyFile,
  readPublicKey,
  signBytes,
} from '../../../../cli/harden/report-key.ts';
import { verifySignature } from '../../../../cli/harden/verify-signature.ts';
import { isNectarError } from '../../../../protocol/errors.ts';

const NOW = Date.UTC(2026, 10, 23, 6);
const now = (): number => NOW;
const nodeId = '3f2a9c5e7b1d4f608192a3b4c5d6e7f8';
const report = Buffer.from('{"score":97}\n');

describe('the key that signs reports', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-report-key-'));
  const make = (name: string, passphrase?: string, force = false) =>
    makeReportKey({
      ...{ home: join(folder, name), nodeId, force, now },
      passphrase: passphrase === undefined ? undefined : Buffer.from(passphrase),
    });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('signs, and the exported public half verifies, at the time of signing and years later', async () => {
    const made = await make('plain');
    const home = join(folder, 'plain');
    const { signature, fingerprint } = await signBytes(report, { home, passphrase: undefined, now });
    assert.equal(fingerprint, made.fingerprint);
    const exported = join(folder, 'clinic.asc');
    writeFileSync(exported, await readPublicKey(home));
    assert.doesNotMatch(readFileSync(exported, 'utf8'), /PRIVATE/);
    assert.deepEqual(await verifySignature(report, signature, await readKeyFile(exported)), {
      ...{ verdict: 'ok', fingerprint, signedAt: new Date(NOW).toISOString() },
    });
  });

  test('is readable by its owner alone, and is not replaced unasked', async () => {
    const home = join(folder, 'plain');
    assert.equal(statSync(join(home, 'hardening', 'report-key.asc')).mode & 0o777, 0o600);
    assert.equal(statSync(join(home, 'hardening')).mode & 0o777, 0o700);
    await assert.rejects(make('plain'), (error) => isNectarError(error, 'CLI_OUTPUT_EXISTS'));
    const before = await findReportKey(home);
    assert.notEqual((await make('plain', undefined, true)).fingerprint, before?.fingerprint);
  });

  test('with a passphrase opens with that alone', async () => {
    const made = await make('sealed', 'correct horse battery');
    assert.equal(made.protected, true);
    assert.deepEqual(made.kdf, { algorithm: 'argon2id', memoryKiB: 65_536, passes: 3 });
    const home = join(folder, 'sealed');
    const sign = (passphrase: string | undefined) =>
      signBytes(report, { home, now, passphrase: passphrase === undefined ? undefined : Buffer.from(passphrase) });
    for (const wrong of [undefined, '', 'correct horse', 'correct horse battery ']) {
      await assert.rejects(sign(wrong), (error) => isNectarError(error, 'HARDENING_KEY_LOCKED'));
    }
    const { signature } = await sign('correct horse battery');
    const keys = await parseKeys(await readPublicKey(home));
    assert.equal((await verifySignature(report, signature, keys)).verdict, 'ok');
  });

  test('whatever is changed in the report or the signature, it holds no longer', async () => {
    const home = join(folder, 'plain');
    const { signature } = await signBytes(report, { home, passphrase: undefined, now });
    const keys = await parseKeys(await readPublicKey(home));
    for (let at = 0; at < report.length; at++) {
      const altered = Buffer.from(report);
      altered[at] = (altered[at] ?? 0) ^ 1;
      assert.equal((await verifySignature(altered, signature, keys)).verdict, 'violated', `byte ${at}`);
    }
    const lines = signature.split('\n');
    const body = lines.findIndex((line) => line.trim() === '') + 1;
    for (let at = 0; at < 20; at++) {
      const line = lines[body] ?? '';
      const other = line[at] === 'A' ? 'B' : 'A';
      const altered = lines.with(body, line.slice(0, at) + other + line.slice(at + 1)).join('\n');
      assert.notEqual((await verifySignature(report, altered, keys)).verdict, 'ok', `character ${at}`);
    }
    for (const none of ['', 'no signature', await readPublicKey(home), 'x'.repeat(100_000)]) {
      assert.equal((await verifySignature(report, none, keys)).verdict, 'violated');
    }
  });

  test("says unknown, never ok, for the signature of somebody else's key", async () => {
    await make('other');
    const { signature } = await signBytes(report, { home: join(folder, 'other'), passphrase: undefined, now });
    const keys = await parseKeys(await readPublicKey(join(folder, 'plain')));
    assert.equal((await verifySignature(report, signature, keys)).verdict, 'unknown');
    assert.equal((await verifySignature(report, signature, [])).verdict, 'unknown');
  });

  test('a missing or damaged key is a typed error', async () => {
    const home = join(folder, 'none');
    const sign = () => signBytes(report, { home, passphrase: undefined, now });
    assert.equal(await findReportKey(home), undefined);
    await assert.rejects(sign(), (error) => isNectarError(error, 'HARDENING_KEY_MISSING'));
    await make('none');
    writeFileSync(join(home, 'hardening', 'report-key.asc'), 'damaged');
    await assert.rejects(sign(), (error) => isNectarError(error, 'HARDENING_KEY_INVALID'));
    for (const path of [join(folder, 'absent'), join(home, 'hardening', 'report-key.asc')]) {
      await assert.rejects(readKeyFile(path), (error) => isNectarError(error, 'HARDENING_KEY_INVALID'));
    }
  });
});
