import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { processTerminal } from '../../cli/command-line.ts';
import { createProgram } from '../../cli/program.ts';

const root = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');
const performance = readFileSync(new URL('docs/performance.md', root), 'utf8');

const commands = [...readme.matchAll(/\.\/nectar-byon ([a-z][^\n#`)|]*)/g)].map((match) =>
  (match[1] ?? '').trim().split(/\s+/),
);

test('names only commands and options that exist', () => {
  assert.ok(commands.length > 15);
  const program = createProgram(processTerminal());
  for (const words of commands) {
    let command = program;
    let rest = words;
    for (;;) {
      const child = command.commands.find((candidate) => candidate.name() === rest[0]);
      if (child === undefined) break;
      command = child;
      rest = rest.slice(1);
    }
    assert.notEqual(command, program, `nectar-byon ${words.join(' ')}`);
    for (const word of rest.filter((part) => part.startsWith('-'))) {
      const known = command.options.some((option) => option.long === word || option.short === word);
      assert.ok(known, `nectar-byon ${words.join(' ')}: ${word}`);
    }
  }
});

test('links only to files that exist', () => {
  for (const [, target = ''] of readme.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) {
    assert.ok(existsSync(new URL(target, root)), target);
  }
});

test('shows only figures that docs/performance.md explains', () => {
  const table = readme.slice(readme.indexOf('## How fast'), readme.indexOf('## Find your way'));
  const figures = [...table.matchAll(/\b\d[\d.]*(?= (?:MiB|MiB\/s)|\/s)/g)].map(([figure]) => figure);
  assert.ok(figures.length >= 10);
  for (const figure of figures) assert.ok(performance.includes(figure), `${figure} is in docs/performance.md`);
});
