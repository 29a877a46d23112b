import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { completionNodes, renderCompletion } from '../../../cli/completion.ts';
import { createProgram } from '../../../cli/program.ts';
import { capture, fakeTerminal } from './capture.ts';

const program = createProgram(fakeTerminal().terminal);
const script = renderCompletion(program, 'bash');

/** What bash itself offers after these words. */
function offered(words: readonly string[]): string[] {
  const line = words.map((word) => `'${word}'`).join(' ');
  const run = spawnSync(
    'bash',
    [
      '-c',
      `${script}\ncompopt() { echo FILES; }\nCOMP_WORDS=(nectar-byon ${line}); COMP_CWORD=${words.length}; _nectar_byon; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ],
    { encoding: 'utf8' },
  );
  assert.equal(run.status, 0, run.stderr);
  return run.stdout.split('\n').filter((word) => word !== '');
}

test('comes from the tree: every verb and option is in it', () => {
  const nodes = completionNodes(program);
  assert.ok(nodes.find(({ path }) => path === 'keys rotate')?.words.some(({ word }) => word === '--yes'));
  assert.ok(nodes.length > 30);
});

test('bash completes verbs, their verbs, options and choices', () => {
  assert.deepEqual(offered(['sta']), ['status']);
  assert.deepEqual(
    offered(['keys', '']).filter((word) => !word.startsWith('-')),
    ['list', 'rotate', 'retire', 'rekey', 'enroll', 'change', 'remove', 'resolve', 'backup', 'recover'],
  );
  assert.deepEqual(offered(['init', '--unl']), ['--unlock']);
  assert.deepEqual(offered(['init', '--unlock', '']), ['passphrase', 'file', 'tpm2']);
  assert.deepEqual(offered(['network', 'jo']), ['join']);
  assert.deepEqual(offered(['put', '']), ['FILES']);
  assert.deepEqual(offered(['get', 'abc', '-o', '']), ['FILES']);
  assert.deepEqual(offered(['--home', '/x', 'dev']), ['devnet']);
});

test('zsh and fish scripts name every verb', async () => {
  for (const shell of ['zsh', 'fish']) {
    const run = await capture(['completion', shell]);
    assert.equal(run.code, 0);
    for (const verb of program.commands)
      if (verb.name() !== 'run') assert.match(run.stdout, new RegExp(`\\b${verb.name()}\\b`));
  }
  assert.equal((await capture(['completion', 'tcsh'])).code, 2);
});
