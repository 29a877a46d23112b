import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { encodeIdentityFile, type PublicIdentity } from '../../../appliance/config/identity.ts';
import { hardenRunName } from '../../../cli/harden/schedule/harden-run.ts';
import { findSchedule } from '../../../cli/harden/schedule/schedule-file.ts';
import { removeSchedule } from '../../../cli/harden/schedule/set-schedule.ts';
import { readLifeNotes } from '../../../cli/harden/sources/life-notes.ts';
import { knownRepositories } from '../../../cli/life/repository/known-repositories.ts';
import type { Terminal } from '../../../cli/terminal.ts';
import { isNectarError } from '../../../protocol/errors.ts';

const NODE_ID = '3f2a9c5e7b1d4f608192a3b4c5d6e7f8';
const DAMAGES: Record<string, string> = {
  empty: '',
  'cut off': '{"version":1,',
  'of another shape': '{"version":1,"repositories":"all"}',
  'of another version': '{"version":2}',
  'too large': ' '.repeat(5 * 1024 * 1024),
};

describe('what the command line keeps in a home', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-home-files-'));
  const home = join(folder, 'home');
  after(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => {
    rmSync(home, { recursive: true, force: true });
    for (const name of ['hardening', 'backup', 'identity']) mkdirSync(join(home, name), { recursive: true });
  });

  for (const [damage, text] of Object.entries(DAMAGES)) {
    test(`a list of backup places that is ${damage} is named as that, with what to do`, async () => {
      assert.deepEqual(await knownRepositories(home), []);
      const path = join(home, 'backup', 'repositories.json');
      writeFileSync(path, text);
      await assert.rejects(knownRepositories(home), (error) => {
        assert.ok(isNectarError(error, 'BACKUP_REPOSITORIES_DAMAGED'));
        assert.equal(error.data.path, path);
        return true;
      });
    });

    test(`a schedule of reports that is ${damage} is no schedule that somebody could rely on, and not none`, async () => {
      assert.equal(await findSchedule(home), undefined);
      writeFileSync(join(home, 'hardening', 'schedule.json'), text);
      await assert.rejects(findSchedule(home), (error) => isNectarError(error, 'HARDENING_SCHEDULE_DAMAGED'));
      assert.equal((await readLifeNotes(home)).hardening.scheduled, false);
    });
  }

  test('a damaged schedule is taken away from what starts its runs all the same', async () => {
    const table = join(folder, 'table');
    writeFileSync(table, `0 6 * * * harden # ${hardenRunName(NODE_ID)}\n5 4 * * * backup # mine\n`);
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    symlinkSync('/bin/cat', join(bin, 'cat'));
    writeFileSync(join(bin, 'crontab'), `#!/bin/sh\ncase "$1" in -l) cat ${table} ;; -) cat >${table} ;; esac\n`);
    chmodSync(join(bin, 'crontab'), 0o755);
    const identity: PublicIdentity = {
      nodeId: NODE_ID,
      peerId: 'a'.repeat(20),
      operator: `0x${'ab'.repeat(20)}`,
      checkpointVkey: 'vkey',
      tokenJwk: { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) },
    };
    writeFileSync(join(home, 'identity', 'public.json'), encodeIdentityFile(identity));
    writeFileSync(join(home, 'hardening', 'schedule.json'), '{');
    const terminal = {
      env: { PATH: bin },
      signal: new AbortController().signal,
      userFolder: folder,
    } as unknown as Terminal;
    await removeSchedule(home, terminal);
    assert.equal(readFileSync(table, 'utf8'), '5 4 * * * backup # mine\n');
    assert.equal(await findSchedule(home), undefined);
  });
});
