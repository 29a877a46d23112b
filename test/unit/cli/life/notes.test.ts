import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkBackupAge } from '../../../../cli/life/check-backup.ts';
import { findLastBackup, recordBackup } from '../../../../cli/life/last-backup.ts';
import { findLastScrub, recordScrub } from '../../../../cli/life/last-scrub.ts';
import { checkVerifyAge, findLastVerify, recordVerify } from '../../../../cli/life/last-verify.ts';
import { noteAge } from '../../../../cli/life/note-age.ts';
import { daysSince } from '../../../../hardening/collectors/life.ts';

const NOW = Date.parse('2026-11-30T12:00:00.000Z');
const DAY_MS = 86_400_000;
const at = (days: number): string => new Date(NOW - days * DAY_MS).toISOString();

const folder = mkdtempSync(join(tmpdir(), 'nectar-notes-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Each note of a command in HOME/run: written, read, and what somebody who goes by it is told. */
const NOTES = {
  'last-backup.json': {
    write: (home: string, days: number) => recordBackup(home, { file: '/b', createdAt: at(days), fileBytes: 1 }),
    grade: async (home: string) => checkBackupAge(await findLastBackup(home), NOW).grade,
  },
  'last-verify.json': {
    write: (home: string, days: number) => recordVerify(home, { at: at(days), integrity: 'ok', completeness: 'ok' }),
    grade: async (home: string) => checkVerifyAge(await findLastVerify(home), NOW).grade,
  },
  'last-scrub.json': {
    write: (home: string, days: number) => recordScrub(home, { at: at(days) }),
    grade: async (home: string) => {
      const last = await findLastScrub(home);
      // What the hardening report sees of it: a fact, or that it cannot be seen.
      try {
        return last !== undefined && daysSince(() => NOW, last.at) <= 31 ? 'good' : 'poor';
      } catch {
        return 'poor';
      }
    },
  },
} as const;

for (const [name, { write, grade }] of Object.entries(NOTES)) {
  test(`run/${name} never makes anything look younger than it is: older, damaged, missing, or of a time to come`, async () => {
    const home = join(folder, name);
    const path = join(home, 'run', name);
    mkdirSync(home);
    assert.notEqual(await grade(home), 'good', 'missing');
    await write(home, 60);
    const older = readFileSync(path);
    await write(home, 1);
    assert.equal(await grade(home), 'good');
    const newest = readFileSync(path);
    writeFileSync(path, older);
    assert.notEqual(await grade(home), 'good', 'older');
    await write(home, -2);
    assert.notEqual(await grade(home), 'good', 'of a time to come');
    for (let byte = 0; byte < newest.length; byte++) {
      const changed = Buffer.from(newest);
      changed[byte] = 0;
      writeFileSync(path, changed);
      await grade(home);
    }
    for (const text of ['', '{', '[]', '{"at":1}', ' '.repeat(5 * 1024 * 1024)]) {
      writeFileSync(path, text);
      assert.notEqual(await grade(home), 'good', text.slice(0, 20));
    }
  });
}

test('a note of a time that is none, or more than an hour ahead, has no age', () => {
  const ages = ['yesterday', '', at(-1), new Date(NOW + 60_000).toISOString(), at(2)].map((text) => noteAge(text, NOW));
  assert.deepEqual(ages, [undefined, undefined, undefined, 0, 2 * DAY_MS]);
});
