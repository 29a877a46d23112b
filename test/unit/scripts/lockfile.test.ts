import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface Entry {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8')) as {
  packages: Record<string, Entry>;
};
const packages = Object.entries(lock.packages).filter(([path, { link }]) => path !== '' && link !== true);

test('the lockfile has a SHA-512 of every package, those of other platforms included', () => {
  assert.ok(packages.length > 300, String(packages.length));
  const without = packages.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''));
  assert.deepEqual(
    without.map(([path]) => path),
    [],
  );
});

test('the lockfile has an entry for every optional package that another platform would install', () => {
  const missing = Object.entries(lock.packages).flatMap(([from, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !packages.some(([path]) => path.endsWith(`node_modules/${name}`)))
      .map((name) => `${name} of ${from}`),
  );
  assert.deepEqual(missing, []);
});
