import assert from 'node:assert/strict';
import type { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createOutput } from '../../../../cli/render/output.ts';
import { showWork } from '../../../../cli/render/work.ts';
import type { Terminal } from '../../../../cli/terminal.ts';
import { fakeTerminal } from '../capture.ts';

/** A terminal with a person at it, as far as a spinner asks. */
function personal(env: Record<string, string> = {}) {
  const { terminal: plain, stderr } = fakeTerminal({ env: { NO_COLOR: '1', ...env } });
  const ending = new AbortController();
  const terminal: Terminal = {
    ...plain,
    signal: ending.signal,
    stderr: Object.assign(plain.stderr as PassThrough, { isTTY: true, columns: 40 }),
  };
  const output = createOutput(terminal, false);
  return { terminal, output, stderr, ending };
}

test('a spinner says what goes on, and at the end whether it was done', async () => {
  const { terminal, output, stderr } = personal();
  assert.equal(
    await showWork(terminal, output, 'working', async (say) => {
      say('the second step');
      return 7;
    }),
    7,
  );
  assert.match(stderr(), /working \[0s\]/);
  assert.match(stderr(), /the second step \[0s\]/);
  assert.ok(stderr().endsWith('\u25c7  working\n'), stderr());
});

test('it says that an interruption was heard, and shows the cursor again', async () => {
  const { terminal, output, stderr, ending } = personal();
  const failed = showWork(terminal, output, 'working', async (say) => {
    ending.abort('SIGINT');
    say('undoing');
    throw new Error('left');
  });
  await assert.rejects(failed, /left/);
  assert.match(stderr(), /interrupted/);
  assert.ok(stderr().lastIndexOf('\x1b[?25h') > stderr().lastIndexOf('\x1b[?25l'));
});

test('a text longer than the line is cut, so that frames leave no trail', async () => {
  const { terminal, output, stderr } = personal();
  await showWork(terminal, output, 'a'.repeat(200), async () => undefined);
  const frame =
    stderr()
      .split('\r')
      .find((line) => line.includes('[0s]')) ?? '';
  assert.ok([...frame].length <= 44, frame);
});

test('a terminal that cannot move its cursor gets lines', async () => {
  const { terminal, output, stderr } = personal({ TERM: 'dumb' });
  await showWork(terminal, output, 'working', async (say) => say('waiting for another command', 'matters'));
  assert.equal(stderr(), 'working ...\nwaiting for another command\n');
});
