import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { withUsualSize } from '../../../cli/terminal-size.ts';

const terminalOf = (size: object) => Object.assign(new Writable(), { isTTY: true, ...size });

test('a terminal without a size counts as one of 80 columns and 24 rows', () => {
  for (const size of [{ columns: 0, rows: 0 }, {}]) {
    const stream = terminalOf(size) as Writable & { columns?: number; rows?: number };
    withUsualSize(stream);
    assert.deepEqual([stream.columns, stream.rows], [80, 24]);
    // Node writes the new size there when the window changes.
    stream.columns = 132;
    assert.deepEqual([stream.columns, stream.rows], [132, 24]);
  }
});

test('a terminal keeps its own size, and what is no terminal has none', () => {
  const narrow = terminalOf({ columns: 40, rows: 10 }) as Writable & { columns?: number };
  withUsualSize(narrow);
  assert.equal(narrow.columns, 40);
  const file = new Writable() as Writable & { columns?: number };
  withUsualSize(file);
  assert.equal(file.columns, undefined);
});
