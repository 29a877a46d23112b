import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { guidanceOf } from '../../../cli/errors/guidance-of.ts';
import { ERRORS, type ErrorCode } from '../../../protocol/errors.ts';
import { commandsIn, commandsOf, unknownOf } from './typed-commands.ts';

/** Advice names what exists: whatever tells a person to type a command tells one that the program takes. */
const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');

const refusedOf = (commands: readonly string[]): string[] =>
  [...new Set(commands)].flatMap((text) => unknownOf(text) ?? []);

test('finds a verb and an option that are none', () => {
  assert.deepEqual(refusedOf(['up', 'status --json | jq', 'audit query --record', 'keys rotate makes another']), []);
  assert.deepEqual(
    refusedOf(['enrol file', 'keys enrol a key file', 'up --nowhere', 'restore everything --over-all']),
    ['enrol file', 'keys enrol a key file', 'up --nowhere', 'restore everything --over-all'],
  );
});

test('the documents', () => {
  const paths = globSync(
    ['docs/*.md', 'docs/reference/*.md', 'helm/**/*.md', 'charts/**/*.md', 'images/*.md', '*.md'],
    { cwd: root },
  );
  const found = paths
    .filter((path) => path !== 'THIRD-PARTY.md' && path !== 'CHANGELOG.md')
    .flatMap((path) => commandsOf(read(path)));
  assert.ok(found.length > 300, String(found.length));
  assert.deepEqual(refusedOf(found), []);
});

test('the remedies of all errors', () => {
  const remedies = (Object.keys(ERRORS) as ErrorCode[]).map((code) => guidanceOf(code).remedy ?? '');
  const found = remedies.flatMap((text) => commandsOf(text));
  assert.ok(found.length > 60, String(found.length));
  assert.deepEqual(refusedOf(found), []);
});

test('what the program itself prints, and what the checks advise', () => {
  const found = globSync(['cli/**/*.ts', 'appliance/**/*.ts', 'hardening/**/*.ts', 'hardening/checks/**/*.yaml'], {
    cwd: root,
  }).flatMap((path) =>
    [...read(path).matchAll(/['`"]((?:[^'`"\n]*\W)?nectar-byon [a-z][^'`"\n]*)['`"]/g)].flatMap((match) =>
      commandsIn(match[1] ?? ''),
    ),
  );
  assert.ok(found.length > 60, String(found.length));
  // The first line of the file of a share, which is no command.
  const commands = found.filter((command) => !command.startsWith('recovery share'));
  assert.deepEqual(refusedOf(commands), []);
});
