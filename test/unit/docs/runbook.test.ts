import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Command, CommanderError } from 'commander';
import { createProgram } from '../../../cli/program.ts';
import { ERRORS } from '../../../protocol/errors.ts';
import { fakeTerminal } from '../cli/capture.ts';

/** House rule 22: what the documents tell a person to type is what the program takes. */
const root = fileURLToPath(new URL('../../..', import.meta.url));
const DOCUMENTS = ['README.md', 'docs/runbook.md', 'docs/hardening.md'].filter((path) => existsSync(`${root}/${path}`));

/** Every `nectar-byon ...` of a document: in its shell blocks, and in the text between backticks. */
function commandsOf(path: string): string[] {
  const text = readFileSync(`${root}/${path}`, 'utf8');
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((match) => (match[1] ?? '').split('\n'));
  const inline = [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');
  return [...blocks, ...inline].flatMap(commandsIn);
}

/** Up to the end of the command: a comment, a pipe, a redirection, the end of $(...). */
function commandsIn(line: string): string[] {
  return [...line.matchAll(/(?:^|[\s(|&;])(?:\.\/)?nectar-byon( [^|&;)<>#`]*)/g)].map((match) =>
    (match[1] ?? '').trim(),
  );
}

function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** Parses as the program would, and runs nothing. */
async function parse(words: readonly string[]): Promise<string | undefined> {
  const program = createProgram(fakeTerminal().terminal);
  let ran: string | undefined;
  const disarm = (command: Command): void => {
    for (const child of command.commands) {
      child.action(() => {
        ran = child.name();
      });
      disarm(child);
    }
  };
  disarm(program);
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 'help';
    throw error;
  }
  return ran;
}

for (const path of DOCUMENTS) {
  test(`${path} names only commands that exist, with options that exist`, async () => {
    const commands = commandsOf(path);
    assert.ok(commands.length > 10, `${commands.length} commands found`);
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
