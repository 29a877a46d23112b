import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { configOptions, nodeConfigSchema } from '../../../appliance/config/index.ts';
import { CONTAINER_ROLES, SOCKETS, UIDS } from '../../../cli/provision/docker/role-table.ts';
import { FIXED_OPTIONS } from '../../../cli/provision/kubernetes/values-schema.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/charts/nectar-byon/${path}`, 'utf8');
const schema = JSON.parse(read('values.schema.json'));
const accepts = (values: unknown): boolean => new Ajv({ strict: false }).validate(schema, values) as boolean;
const templates = globSync('charts/nectar-byon/templates/**/*.{tpl,yaml}', { cwd: root }).map((path) =>
  readFileSync(`${root}/${path}`, 'utf8'),
);

test('the default values are of their own schema', () => {
  assert.ok(accepts(parse(read('values.yaml'))));
});

test('refuses a value that is none, at every depth', () => {
  assert.ok(!accepts({ gatway: {} }));
  assert.ok(!accepts({ gateway: { replica: 3 } }));
  assert.ok(!accepts({ config: { store: { replicaz: 1 } } }));
});

test('takes options of the node as the node itself takes them', () => {
  assert.ok(accepts({ config: { store: { replicas: 3 }, rollup: { l1RpcUrls: ['https://l1.example'] } } }));
  assert.ok(!accepts({ config: { store: { replicas: 99 } } }));
  assert.ok(!accepts({ config: { rollup: { l1RpcUrls: ['ftp://l1.example'] } } }));
});

test('takes the loss of a volume by its mark alone', () => {
  const accepted = (startEmpty: string): boolean => accepts({ identity: { startEmpty } });
  assert.deepEqual(['', `audit:${'0a'.repeat(16)}`].map(accepted), [true, true]);
  assert.deepEqual(['audit', 'store', 'true', `audit:${'0a'.repeat(15)}`].map(accepted), [false, false, false, false]);
});

test('leaves no choice of what the chart sets', () => {
  const options = new Set(configOptions(nodeConfigSchema).map(({ path }) => path));
  for (const [section, names] of Object.entries(FIXED_OPTIONS)) {
    for (const name of names) {
      assert.ok(options.has(`${section}.${name}`), `${section}.${name} is an option of the node`);
      assert.ok(!accepts({ config: { [section]: { [name]: 1 } } }), `${section}.${name}`);
    }
  }
});

test('has a place for no secret, and for no environment of the owner', () => {
  const paths: string[] = [];
  const walk = (value: { properties?: Record<string, never> }, path: string): void => {
    for (const [name, child] of Object.entries(value.properties ?? {})) walk(child, `${path}.${name}`);
    if (value.properties === undefined) paths.push(path);
  };
  walk(schema, '');
  const suspicious = paths.filter((path) => /(password|passphrase|token|secret|privatekey|extraenv)/i.test(path));
  // Names of Secrets, and of a key in one.
  const names = suspicious.filter(
    (path) => !/existing[A-Za-z]*Secret|\.existingSecrets\.|\.secretKey$|^\.image\.pullSecrets$/.test(path),
  );
  // Bounds of the gateway per token.
  assert.deepEqual(
    names.filter((path) => !/PerToken$/.test(path)),
    [],
  );
});

test('names every option that a Service of the namespace could set by its link', () => {
  // kubelet: {SERVICE}_PORT, {SERVICE}_SERVICE_HOST, {SERVICE}_SERVICE_PORT..., {SERVICE}_PORT_{N}_TCP...
  const linked = configOptions(nodeConfigSchema)
    .map(({ env }) => env)
    .filter((env) => /_PORT$|_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT_[0-9]+_(TCP|UDP)/.test(env));
  assert.notEqual(linked.length, 0);
  const set = read('templates/_pod.tpl');
  for (const env of linked) assert.ok(set.includes(`{ name: ${env}, value:`), env);
});

test('lets each role call whom the table of crossings lets it call, in the policies and in the addresses', () => {
  const calls = Object.fromEntries(
    CONTAINER_ROLES.map((role) => [
      role,
      [...new Set(Object.values(SOCKETS).flatMap(({ server, clients }) => (clients.includes(role) ? [server] : [])))],
    ]),
  );
  const policies = read('templates/networkpolicies.yaml');
  assert.deepEqual(dictOf(policies, '$calls := '), sorted(calls));
  assert.deepEqual(dictOf(read('templates/_pod.tpl'), '$calls := get ('), sorted(calls));
  const callers = Object.fromEntries(
    CONTAINER_ROLES.map((role) => [role, CONTAINER_ROLES.filter((other) => calls[other]?.includes(role))]),
  );
  assert.deepEqual(dictOf(policies, '$callers := '), sorted(callers));
});

test('runs each role as the user of its image', () => {
  const users = read('templates/_pod.tpl').match(/\$user := get \(dict (.*?)\)/)?.[1] ?? '';
  const pairs = [...users.matchAll(/"(\w+)" (\d+)/g)].map(([, role, user]) => [role, Number(user)]);
  assert.deepEqual(Object.fromEntries(pairs), { ...UIDS });
});

test('asks for no right, no resource definition and no hook beside the test', () => {
  const text = templates.join('\n');
  assert.ok(!/kind: (Cluster)?Role(Binding)?$/m.test(text));
  assert.ok(!/CustomResourceDefinition/.test(text));
  const hooks = [...text.matchAll(/helm\.sh\/hook: (.*)/g)].map(([, hook]) => hook);
  assert.deepEqual([...new Set(hooks)], ['test']);
});

interface Alarm {
  readonly alert: string;
  readonly expr: string;
  readonly section: string;
}
const alarms = parse(read('files/alarms.yaml')) as Alarm[];
const sources = globSync('appliance/**/*.ts', { cwd: root }).map((path) => readFileSync(`${root}/${path}`, 'utf8'));

test('watches metrics that the node has', () => {
  const text = sources.join('\n');
  const watched = [...`${read('files/dashboard.json')}${JSON.stringify(alarms)}`.matchAll(/nectar_[a-z0-9_]+/g)];
  const names = new Set(watched.map(([name]) => name.replace(/_bucket$/, '')));
  // `nectar_hardening_${name}`: composed where it is made.
  const absent = [...names].filter((name) => !text.includes(name));
  assert.deepEqual(absent, []);
});

test('sends every alarm to a section of the runbook', () => {
  const runbook = readFileSync(`${root}/docs/runbook.md`, 'utf8');
  const anchors = [...runbook.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
  for (const { alert, section } of alarms) assert.ok(anchors.includes(section), `${alert}: ${section}`);
});

function dictOf(text: string, before: string): Record<string, readonly string[]> {
  const line = text.slice(text.indexOf(before)).split('\n')[0] ?? '';
  const entries = [...line.matchAll(/"(\w+)" (?:\(list ([^)]*)\)|list)/g)];
  const named = entries.map(([, role = '', names]) => [
    role,
    [...(names ?? '').matchAll(/\w+/g)].map(([name]) => name),
  ]);
  return sorted(Object.fromEntries(named));
}

function sorted(lists: Readonly<Record<string, readonly string[]>>): Record<string, readonly string[]> {
  return Object.fromEntries(CONTAINER_ROLES.map((role) => [role, [...(lists[role] ?? [])].sort()]));
}
