import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');

test('what the VEX says of elliptic is so: only secp256k1 brings it, and of that only the addon is imported', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { dependencies?: Record<string, string>; dev?: boolean }>;
  };
  const users = Object.entries(packages).filter(([, { dependencies, dev }]) => dev !== true && dependencies?.elliptic);
  assert.deepEqual(
    users.map(([path]) => path),
    ['node_modules/secp256k1'],
  );
  const sources = globSync('{appliance,cli,protocol,machine,hardening,images}/**/*.ts', { cwd: root });
  assert.ok(sources.length > 500, String(sources.length));
  const imports = sources.flatMap((file) =>
    [...read(file).matchAll(/(?:from|import\()\s*'((?:secp256k1|elliptic)(?:\/[^']*)?)'/g)].map(([, name]) => name),
  );
  assert.deepEqual(imports, ['secp256k1/bindings.js']);
  assert.doesNotMatch(
    read('node_modules/secp256k1/bindings.js') + read('node_modules/secp256k1/lib/index.js'),
    /elliptic/,
  );
});

test('the VEX is an OpenVEX document whose every statement says why', () => {
  const vex = JSON.parse(read('images/nectar-byon.openvex.json')) as {
    '@context': string;
    statements: { status: string; justification: string; impact_statement: string; products: unknown[] }[];
  };
  assert.equal(vex['@context'], 'https://openvex.dev/ns/v0.2.0');
  assert.ok(vex.statements.length > 0);
  for (const { status, justification, impact_statement, products } of vex.statements) {
    assert.equal(status, 'not_affected');
    assert.match(justification, /^(vulnerable_code_not_in_execute_path|component_not_present)$/);
    assert.ok(impact_statement.length > 40 && products.length === 1);
  }
});
