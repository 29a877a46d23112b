import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeReportKey, readPublicKey, signBytes } from '../../cli/harden/report-key.ts';
import { said, unless } from './programs.ts';

const REPORT = Buffer.from('{"report":"of a node","score":96}\n');
const now = (): number => Date.now() - 60_000;

describe('what we sign with OpenPGP, verified by GnuPG', { skip: unless('gpg', '--version') }, () => {
  let folder: string;
  const gpg = (...args: string[]) =>
    said('gpg', ['--batch', '--no-autostart', '--status-fd', '1', ...args], {
      env: { ...process.env, GNUPGHOME: folder },
    });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nectar-gpg-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const passphrase of [undefined, Buffer.from('a passphrase of the report key')]) {
    const kind = passphrase === undefined ? 'an open key' : 'a key under a passphrase';
    test(`the signature of a report by ${kind} is good, and bad for any other report`, async () => {
      const home = await mkdtemp(join(folder, 'home-'));
      const made = await makeReportKey({ home, nodeId: 'ab'.repeat(16), passphrase, force: false, now });
      await writeFile(join(home, 'key.asc'), await readPublicKey(home));
      const { signature, fingerprint } = await signBytes(REPORT, { home, passphrase, now });
      assert.equal(fingerprint, made.fingerprint);
      await writeFile(join(home, 'report.json'), REPORT);
      await writeFile(join(home, 'report.json.asc'), signature);

      await gpg('--import', join(home, 'key.asc'));
      const { stdout } = await gpg('--verify', join(home, 'report.json.asc'), join(home, 'report.json'));
      assert.match(stdout, new RegExp(`\\[GNUPG:\\] VALIDSIG ${fingerprint} `));

      await writeFile(join(home, 'report.json'), Buffer.from('{"report":"of a node","score":100}\n'));
      await assert.rejects(gpg('--verify', join(home, 'report.json.asc'), join(home, 'report.json')), /BAD signature/);
    });
  }
});
