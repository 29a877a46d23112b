import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { capture } from './capture.ts';

describe('logs since a moment', () => {
  const home = mkdtempSync(join(tmpdir(), 'nectar-logs-'));
  after(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, 'identity'));
  mkdirSync(join(home, 'logs'));
  writeFileSync(join(home, 'identity', 'public.json'), '{}');
  const line = (time: string, msg: string, level = 'info'): string => `${JSON.stringify({ level, time, msg })}\n`;
  // The clock of `capture` stands at 2026-11-23T00:00Z.
  writeFileSync(
    join(home, 'logs', 'node.log.1'),
    line('2026-11-20T10:00:00.000Z', 'older') + line('2026-11-22T22:30:00.000Z', 'rotated'),
  );
  writeFileSync(
    join(home, 'logs', 'node.log'),
    line('2026-11-22T23:00:00.000Z', 'newer') + line('2026-11-22T23:59:00.000Z', 'newest', 'warn'),
  );
  const said = async (...more: string[]): Promise<string[]> => {
    const { stdout, stderr } = await capture(['logs', '--home', home, '--json', ...more]);
    assert.equal(stderr, '');
    return stdout
      .split('\n')
      .filter((text) => text !== '')
      .map((text) => (JSON.parse(text) as { msg: string }).msg);
  };

  test('goes through what was rotated out', async () => {
    assert.deepEqual(await said('--since', '2h'), ['rotated', 'newer', 'newest']);
    assert.deepEqual(await said('--since', '2026-11-20'), ['older', 'rotated', 'newer', 'newest']);
  });

  test('ends before --until, takes the last lines and the level that are asked for', async () => {
    assert.deepEqual(await said('--since', '2h', '--until', '2026-11-22T23:59:00Z'), ['rotated', 'newer']);
    assert.deepEqual(await said('--since', '3d', '-n', '2'), ['newer', 'newest']);
    assert.deepEqual(await said('--since', '3d', '--level', 'warn'), ['newest']);
  });

  test('says what a moment is', async () => {
    for (const wrong of ['yesterday', '2026-13-01', '0h', '22:30']) {
      const { code, stderr } = await capture(['logs', '--home', home, '--since', wrong]);
      assert.equal(code, 2, wrong);
      assert.match(stderr, /10m, 2h or 3d/);
    }
  });
});
