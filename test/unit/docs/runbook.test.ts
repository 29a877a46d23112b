import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ERRORS } from '../../../protocol/errors.ts';
import { commandsIn, commandsOf, parse, wordsOf } from './typed-commands.ts';

/** House rule 22: what the documents tell a person to type is what the program takes. */
const root = fileURLToPath(new URL('../../..', import.meta.url));
const PAGES = ['owners', 'auditors', 'dsp'].map((page) => `docs/network/${page}.md`);
const DOCUMENTS = ['README.md', 'docs/runbook.md', 'docs/hardening.md', ...PAGES].filter((path) =>
  existsSync(`${root}/${path}`),
);

for (const path of DOCUMENTS) {
  test(`${path} names only commands that exist, with options that exist`, async () => {
    const commands = commandsOf(readFileSync(`${root}/${path}`, 'utf8'));
    assert.ok(commands.length > (PAGES.includes(path) ? 2 : 10), `${commands.length} commands found`);
    for (const command of commands) {
      await assert.doesNotReject(
        async () => assert.ok((await parse(wordsOf(command))) !== undefined),
        `nectar-byon ${command}`,
      );
    }
  });
}

test('the runbook names only error codes that exist', () => {
  const text = readFileSync(`${root}/docs/runbook.md`, 'utf8');
  const codes = text.match(/`(?:[A-Z0-9]+_)+[A-Z0-9]+/g) ?? [];
  assert.ok(codes.length > 12, String(codes.length));
  for (const code of codes) assert.ok(Object.hasOwn(ERRORS, code.slice(1)), code);
});

test('finds commands in blocks, in the middle of a line and in text, and refuses what is none', async () => {
  assert.deepEqual(commandsIn('TOKEN=$(./nectar-byon token create a --json | jq -r .token)'), [
    'token create a --json',
  ]);
  assert.deepEqual(commandsIn('npm pack && nectar-byon bundle save x   # note'), ['bundle save x']);
  await assert.rejects(parse(['backup', '--nowhere', 'x']));
  await assert.rejects(parse(['keys', 'backup']), 'a mandatory option is missing');
  await assert.rejects(parse(['no-such-verb']));
});
