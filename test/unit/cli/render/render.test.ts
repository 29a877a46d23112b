import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderLogLine } from '../../../../cli/render/log-line.ts';
import { toJson } from '../../../../cli/render/output.ts';
import { describeProblem, renderProblem } from '../../../../cli/render/problem.ts';
import { formatBytes, formatDuration, parseDuration } from '../../../../cli/render/quantities.ts';
import { printable, renderFacts, renderTable, textWidth } from '../../../../cli/render/table.ts';
import { NectarError } from '../../../../protocol/errors.ts';

const plain = { json: false, style: (_: string, text: string) => text };

test('formats bytes and durations', () => {
  assert.deepEqual([0, 1023, 1024, 1536, 157_286_400, 2 ** 40].map(formatBytes), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '150 MiB',
    '1.0 TiB',
  ]);
  assert.deepEqual([0, 999, 1000, 61_000, 3_600_000, 93_784_000].map(formatDuration), [
    '0 ms',
    '999 ms',
    '1 s',
    '1 min 1 s',
    '1 h',
    '1 d 2 h',
  ]);
});

test('reads durations strictly', () => {
  assert.deepEqual(['90d', '12h', '30m', '45s'].map(parseDuration), [7_776_000_000, 43_200_000, 1_800_000, 45_000]);
  for (const bad of ['', '0s', '-1s', '1.5h', '1w', '10', 's', '1 h']) assert.equal(parseDuration(bad), undefined, bad);
});

test('aligns columns, wide characters too', () => {
  const table = renderTable(
    [{ title: 'A' }, { title: 'N', alignRight: true }],
    [
      ['日本', '1'],
      ['ab', '22'],
    ],
  );
  assert.equal(table, 'A      N\n日本   1\nab    22');
  assert.equal(textWidth('é'), 1);
  assert.equal(textWidth('\x1b[31mred\x1b[0m'), 3);
  assert.equal(
    renderFacts([
      ['a', '1'],
      ['long', '2'],
    ]),
    'a     1\nlong  2',
  );
});

test('lets no control character of a name reach the terminal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must be gone
      assert.doesNotMatch(printable(text), /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }),
  );
  assert.equal(printable('grüezi 日本'), 'grüezi 日本');
});

test('shows an error with its remedy and code, and the stack only when asked for', () => {
  const error = new NectarError('CLI_NODE_STOPPED', { home: '/h' }, { cause: new Error('inner') });
  assert.equal(
    renderProblem(error, { json: false, debug: false }),
    'nectar-byon: the node in /h is not running\n  Start it with `nectar-byon up`.\n  CLI_NODE_STOPPED',
  );
  assert.match(renderProblem(error, { json: false, debug: true }), /caused by: Error: inner/);
});

test('knows a full disk, and calls everything unknown a bug', () => {
  assert.equal(describeProblem(Object.assign(new Error('x'), { code: 'ENOSPC', path: '/p' })).code, 'NODE_DISK_FULL');
  for (const code of ['EROFS', 'EIO', 'EPERM', 'EACCES']) {
    const refused = describeProblem(Object.assign(new Error('x'), { code, path: '/home/run/node.json' }));
    const { path, reason } = refused.data as { path: string; reason: string };
    assert.deepEqual([refused.code, path, reason], ['CLI_DISK_REFUSED', '/home/run/node.json', code]);
  }
  assert.equal(describeProblem(Object.assign(new Error('x'), { code: 'EPERM' })).code, 'CLI_INTERNAL', 'not of a file');
  assert.deepEqual([describeProblem(new TypeError('x')).code, describeProblem('x').exit], ['CLI_INTERNAL', 1]);
});

test('JSON is one line, with bigint as text', () => {
  assert.equal(toJson({ a: 1n, b: ['x\ny'] }), '{"a":"1","b":["x\\ny"]}');
});

test('renders log lines by level, crashes of the runtime always', () => {
  const line = '{"level":"warn","time":"2026-11-23T06:00:00.123Z","service":"p2p","peers":3,"msg":"peer gone"}';
  assert.equal(renderLogLine(line, { level: 'info' }, plain), '2026-11-23 06:00:00.123Z warn  p2p peer gone peers=3');
  assert.equal(renderLogLine(line, { level: 'error' }, plain), undefined);
  const at = Date.parse('2026-11-23T06:00:00.123Z');
  assert.ok(renderLogLine(line, { level: 'debug', since: at, until: at + 1 }, plain));
  assert.equal(renderLogLine(line, { level: 'debug', since: at + 1 }, plain), undefined);
  assert.equal(renderLogLine(line, { level: 'debug', until: at }, plain), undefined);
  const ended = JSON.stringify({ error: { code: 'NODE_HOME_IN_USE', message: 'in use', stack: ['long'] } });
  assert.equal(renderLogLine(ended, { level: 'error' }, plain), 'error in use (NODE_HOME_IN_USE)');
  assert.equal(renderLogLine('Segmentation\x1b fault', { level: 'error' }, plain), 'Segmentation\ufffd fault');
  assert.equal(renderLogLine(line, { level: 'debug' }, { ...plain, json: true }), line);
  assert.equal(renderLogLine('', { level: 'debug' }, plain), undefined);
});
