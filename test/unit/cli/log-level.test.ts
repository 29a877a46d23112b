import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logLevelLines, renderLogLevels } from '../../../cli/render/log-levels.ts';
import { capture } from './capture.ts';

test('refuses what is no level and no time before it asks the node', async () => {
  for (const [given, said] of [
    [['trace'], /trace is no level/],
    [['silent'], /silent is no level/],
    [['store'], /store is no level/],
    [['store', 'p2p', 'debug'], /at most a role or component and a level/],
    [['debug', '--for', '25h'], /24h at most/],
    [['debug', '--for', 'soon'], /30s, 10m or 2h/],
    [['--for', '1h'], /--for needs a level/],
    [['debug', '--reset'], /resets all of them/],
  ] as const) {
    const { code, stderr } = await capture(['log-level', ...given]);
    assert.equal(code, 2, given.join(' '));
    assert.match(stderr, said);
  }
});

test('shows what is changed until when, and says of a role without an answer that nothing is known', () => {
  const plain = (_: unknown, text: string): string => text;
  const changes = [{ component: 'p2p', level: 'debug' as const, until: '2026-11-30T12:10:00.000Z' }];
  const text = renderLogLevels(
    { roles: [{ role: 'rollup', state: { configured: 'info', components: ['p2p'], changes } }, { role: 'store' }] },
    plain,
  );
  assert.match(text, /info \(configured\)\n +debug for rollup: p2p until 2026-11-30T12:10:00Z/);
  assert.match(text, /store +did not answer: its level is not known/);
  const of = (logLevels: object[] | null) => logLevelLines({ logLevels } as never, plain);
  assert.deepEqual(of(null), []);
  assert.deepEqual(of([{ role: 'rollup', configured: 'info', ...changes[0] }]), [
    ['log level', 'debug for rollup: p2p until 2026-11-30T12:10:00Z (info configured)'],
  ]);
});
