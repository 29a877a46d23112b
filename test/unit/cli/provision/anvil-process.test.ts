import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findAnvilPid } from '../../../../cli/provision/process/anvil-process.ts';

const work = mkdtempSync(join(tmpdir(), 'nectar-anvil-process-'));
after(() => rmSync(work, { recursive: true, force: true }));

let count = 0;
/** A folder whose pid file names this process, of which the kernel would show these. */
function found({ words, exe }: { readonly words: readonly string[]; readonly exe?: string }): number | undefined {
  count += 1;
  const [folder, proc] = [join(work, `${count}`), join(work, `${count}-proc`)];
  mkdirSync(join(proc, String(process.pid)), { recursive: true });
  mkdirSync(folder);
  writeFileSync(join(folder, 'anvil.pid'), String(process.pid));
  const text = words.map((word) => `${word === 'STATE' ? join(folder, 'state.json') : word}\0`).join('');
  writeFileSync(join(proc, String(process.pid), 'cmdline'), text);
  if (exe !== undefined) symlinkSync(exe, join(proc, String(process.pid), 'exe'));
  return findAnvilPid(folder, proc);
}

test('the anvil of a folder is known by its words', () => {
  assert.equal(found({ words: ['anvil', '--state', 'STATE'], exe: '/bin/anvil' }), process.pid);
});

test('one that the kernel is just starting, which has no words yet, is ours too', () => {
  assert.equal(found({ words: [], exe: '/node_modules/bin/anvil' }), process.pid);
});

test('another program with its pid is not, nor another anvil, nor what has ended or never was a program', () => {
  assert.equal(found({ words: ['node', 'x.js'], exe: '/bin/node' }), undefined);
  assert.equal(found({ words: ['anvil', '--state', '/elsewhere/state.json'], exe: '/bin/anvil' }), undefined);
  assert.equal(found({ words: [], exe: '/bin/node' }), undefined);
  assert.equal(found({ words: [] }), undefined);
});
