import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { configOptions } from '../../../appliance/config/options.ts';
import { nodeConfigSchema } from '../../../appliance/config/schema.ts';
import { guidanceOf } from '../../../cli/errors/guidance-of.ts';
import { loadBenchmark } from '../../../hardening/load-benchmark.ts';
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

describe('the remedies of all checks, and how each says to look', () => {
  const texts = loadBenchmark().checks.flatMap(({ remediation, see }) =>
    [remediation, see].flatMap((each) => Object.values(each ?? {})),
  );

  test('name commands that there are', () => {
    const found = texts.flatMap(commandsIn);
    assert.ok(found.length > 400, String(found.length));
    assert.deepEqual(refusedOf(found), []);
  });

  test('name sections of documents that there are', () => {
    const found = texts.flatMap((text) => [
      ...text.matchAll(/(docs\/[\w/.-]+\.md)(?:, "([^"]+)")?/g),
      ...text.matchAll(/(\brunbook), ['"]([^'"]+)['"]/g),
    ]);
    assert.ok(found.length > 15, String(found.length));
    const missing = found.filter(([, path = '', section]) => {
      const document = read(path === 'runbook' ? 'docs/runbook.md' : path);
      return section !== undefined && !document.split('\n').some((line) => /^#+ /.test(line) && line.endsWith(section));
    });
    assert.deepEqual(
      missing.map(([all]) => all),
      [],
    );
  });

  test('name codes and options of the configuration that there are', () => {
    const codes = texts.flatMap((text) => text.match(/\b(?:NODE|KEY|STORE|AUDIT|GATEWAY|CLI|ROLLUP)_[A-Z_]+\b/g) ?? []);
    assert.deepEqual(
      codes.filter((code) => code !== 'NODE_OPTIONS' && !(code in ERRORS)),
      [],
    );
    const known = new Set(configOptions(nodeConfigSchema).map(({ path }) => path));
    const named = texts.flatMap((text) =>
      [...text.matchAll(/[cC]onfig\.json: "(\w+)": \{ "(\w+)"/g)].map(([, group, name]) => `${group}.${name}`),
    );
    assert.ok(named.length > 20, String(named.length));
    assert.deepEqual(
      named.filter((name) => !known.has(name)),
      [],
    );
  });

  test('overwrite no file that another remedy writes', () => {
    const written = texts.flatMap((text) => [...text.matchAll(/[^>]> ?(\/[\w./-]+)/g)].map(([, path]) => path));
    assert.deepEqual(
      written.filter((path) => path !== '/dev/null'),
      [],
    );
  });
});
