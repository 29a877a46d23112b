import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDiskRefusal, nameUnhandled } from '../../../appliance/unhandled.ts';
import { NectarError } from '../../../protocol/errors.ts';

function named(error: unknown) {
  const lines: string[] = [];
  const ended: number[] = [];
  const log = { error: (_: object, text: string) => void lines.push(text) };
  nameUnhandled({ role: 'store', log: log as never, end: (code) => void ended.push(code) }, error);
  return { lines, ended };
}

const refused = (code: string): Error => Object.assign(new Error(`${code}: write`), { code });

test('a full, read-only or failing disk ends no role', () => {
  for (const error of [
    refused('ENOSPC'),
    refused('EDQUOT'),
    refused('EROFS'),
    refused('EIO'),
    new NectarError('NODE_DISK_FULL', { path: '/srv' }),
    new Error('a put failed', { cause: refused('ENOSPC') }),
    new Error('IO error: /srv/db/000012.log: No space left on device'),
  ]) {
    assert.ok(isDiskRefusal(error), String(error));
    assert.deepEqual(named(error), { lines: ['the disk refused a background write'], ended: [] });
  }
});

test('any other error that nobody handles is named, and ends the role as a bug', () => {
  for (const error of [new TypeError('x is undefined'), refused('ECONNRESET'), 'a text', undefined]) {
    assert.ok(!isDiskRefusal(error));
    assert.deepEqual(named(error), { lines: ['unhandled error: the role ends'], ended: [1] });
  }
});
