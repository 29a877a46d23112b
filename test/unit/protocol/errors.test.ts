import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { EXIT } from '../../../appliance/exit-code.ts';
import { httpStatusOf } from '../../../appliance/gateway/http-status.ts';
import { guidanceOf } from '../../../cli/errors/guidance-of.ts';
import { ERRORS, type ErrorCode, isNectarError, NectarError, rollupSeverity } from '../../../protocol/errors.ts';

const root = new URL('../../../', import.meta.url);
const doc = readFileSync(new URL('docs/reference/errors.md', root), 'utf8');
const documented = [...doc.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map((match) => match[1]);

test('documents every code of the registry', () => {
  assert.deepEqual(
    Object.keys(ERRORS).filter((code) => !documented.includes(code)),
    [],
  );
});

test('documents no code that the registry lacks', () => {
  assert.deepEqual(
    documented.filter((code) => code === undefined || !(code in ERRORS)),
    [],
  );
});

test('names each code AREA_PROBLEM with a known exit code and an HTTP status', () => {
  const exits: number[] = Object.values(EXIT);
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const { exit, remedy } = guidanceOf(code);
    assert.match(code, /^[A-Z0-9]+(_[A-Z0-9]+)+$/);
    assert.ok(exits.includes(exit), `${code} has exit ${exit}`);
    assert.ok(httpStatusOf(code) >= 400 && httpStatusOf(code) < 600, `${code} has status ${httpStatusOf(code)}`);
    assert.ok(remedy.length > 10, `${code} says what to do`);
  }
});

test('declares each code once over all area files', () => {
  const folder = new URL('protocol/errors/', root);
  const all = readdirSync(folder)
    .flatMap((file) => [...readFileSync(new URL(file, folder), 'utf8').matchAll(/^ {2}([A-Z0-9_]+): define/gm)])
    .map((match) => match[1]);
  assert.equal(new Set(all).size, all.length);
  assert.equal(all.length, Object.keys(ERRORS).length);
});

/** Files that name every code, and raise none. */
const isEdge = (file: string): boolean =>
  /^appliance\/gateway\/(http|operator)-status\.ts$/.test(file) || /^(protocol|cli)\/errors\//.test(file);

test('raises every code somewhere: a code that nothing throws is dead', () => {
  const sources = ['protocol', 'machine', 'coding', 'appliance', 'hardening', 'cli']
    .flatMap((room) =>
      readdirSync(new URL(`${room}/`, root), { recursive: true, encoding: 'utf8' }).map((file) => `${room}/${file}`),
    )
    .filter((file) => file.endsWith('.ts') && !isEdge(file))
    .concat('scripts/launch.mjs')
    .map((file) => readFileSync(new URL(file, root), 'utf8'))
    .join('\n');
  assert.deepEqual(
    Object.keys(ERRORS).filter((code) => !new RegExp(`\\b${code}\\b`).test(sources)),
    [],
  );
});

test('carries code, data and cause', () => {
  const cause = new Error('below');
  const error = new NectarError('NODE_HOME_IN_USE', { home: '/h' }, { cause });
  assert.equal(error.message, 'another process already runs the node in /h');
  assert.deepEqual([error.code, error.data, error.cause], ['NODE_HOME_IN_USE', { home: '/h' }, cause]);
  assert.deepEqual([httpStatusOf(error.code), guidanceOf(error.code).exit], [409, 10]);
  assert.ok(isNectarError(error, 'NODE_HOME_IN_USE'));
  assert.ok(!isNectarError(error, 'NODE_DISK_FULL'));
  assert.equal(rollupSeverity(error), undefined);
});
