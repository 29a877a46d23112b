import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';
import { createCrossingPairs } from '../../../../cli/provision/kubernetes/crossing-pairs.ts';
import { emitFiles } from '../../../../cli/provision/kubernetes/emit-files.ts';
import { namespaceManifest, secretManifests } from '../../../../cli/provision/kubernetes/node-secrets.ts';
import { renderRbac } from '../../../../cli/provision/kubernetes/rbac.ts';
import { fullName, instanceOf } from '../../../../cli/provision/kubernetes/release-names.ts';
import { releaseValues } from '../../../../cli/provision/kubernetes/release-values.ts';

const NOW = Date.parse('2026-11-30T03:00:00Z');
const NAME = { namespace: 'clinic', release: 'node' };
const PRIVATE = [
  'the root key itself',
  'sealed checkpoint',
  'sealed token',
  'wrapped root key',
  'server key',
  'hashed tokens 42',
];
const schemaPath = fileURLToPath(new URL('../../../../charts/nectar-byon/values.schema.json', import.meta.url));

const scratch = mkdtempSync(join(tmpdir(), 'nectar-emit-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

function madeHome(): { home: string; keyFile: string } {
  const home = mkdtempSync(join(scratch, 'home-'));
  for (const folder of ['identity', 'tls']) mkdirSync(join(home, folder));
  const files: Readonly<Record<string, string>> = {
    'keys.json': 'wrapped root key',
    'tokens.json': 'hashed tokens 42',
    'identity/checkpoint.sealed': 'sealed checkpoint',
    'identity/token.sealed': 'sealed token',
    'identity/public.json': '{"nodeId":"ab"}',
    'tls/server.crt': 'server certificate',
    'tls/server.key': 'server key',
    'tls/ca.crt': 'authority',
  };
  for (const [path, text] of Object.entries(files)) writeFileSync(join(home, path), text);
  const keyFile = join(mkdtempSync(join(scratch, 'key-')), 'root.key');
  writeFileSync(keyFile, 'the root key itself');
  return { home, keyFile };
}

const valuesOf = (hasRootKey: boolean): Readonly<Record<string, unknown>> =>
  releaseValues({
    ...{ name: NAME, descriptor: '{"name":"x"}', publicIdentity: '{"nodeId":"ab"}', hasRootKey, imageTag: '0.1.0' },
    config: {
      version: 1,
      gateway: { host: '127.0.0.1', port: 8443, maxConnections: 512 },
      p2p: { listenHost: '0.0.0.0', listenPort: 4640 },
      keys: { keyFile: '/home/me/root.key' },
    },
    ...{ hostNames: ['clinic.example'], registry: 'registry.example/nectar', storageClass: 'fast', announce: [] },
  });

async function emit(keyFile: string | undefined, home: string): Promise<string> {
  const { pairs: crossings, authority } = await createCrossingPairs({ instance: instanceOf(NAME), now: NOW, days: 30 });
  const manifests = [namespaceManifest(NAME), ...(await secretManifests(NAME, { home, keyFile, crossings }))];
  const folder = join(mkdtempSync(join(scratch, 'out-')), 'emitted');
  const values = valuesOf(keyFile !== undefined);
  await emitFiles(folder, {
    name: NAME,
    manifests,
    values,
    authority,
    nodeId: 'ab'.repeat(16),
    chart: 'oci://x/nectar-byon',
  });
  return folder;
}

const walk = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

test('writes every file for its owner alone, and Secrets into a folder of their own', async () => {
  const { home, keyFile } = madeHome();
  const folder = await emit(keyFile, home);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const path of walk(folder)) assert.equal(statSync(path).mode & 0o777, 0o600, path);
  assert.deepEqual(readdirSync(join(folder, 'secrets')).sort(), [
    ...['10-root-key.yaml', '11-identity.yaml', '12-api-certificate.yaml'],
    ...['audit', 'gateway', 'rollup', 'store'].map((role) => `13-crossing-${role}.yaml`),
  ]);
  assert.equal(readFileSync(join(folder, '.gitignore'), 'utf8'), 'secrets/\ncrossings/\n');
});

test('has nothing secret outside of that folder and the one of the authority, in no encoding', async () => {
  const { home, keyFile } = madeHome();
  const folder = await emit(keyFile, home);
  const open = walk(folder).filter((path) => !/^(secrets|crossings)\//.test(relative(folder, path)));
  assert.ok(open.length >= 4);
  for (const path of open) {
    const text = readFileSync(path, 'utf8');
    for (const secret of PRIVATE) {
      assert.ok(!text.includes(secret), `${path}: ${secret}`);
      assert.ok(!text.includes(Buffer.from(secret).toString('base64')), `${path}: ${secret}`);
    }
    assert.doesNotMatch(text, /PRIVATE KEY/);
  }
});

test('Secrets hold the files byte for byte, under the names that the values name', async () => {
  const { home, keyFile } = madeHome();
  const folder = await emit(keyFile, home);
  const secrets = readdirSync(join(folder, 'secrets')).map((file) =>
    parse(readFileSync(join(folder, 'secrets', file), 'utf8')),
  );
  const byName = new Map(secrets.map((secret) => [secret.metadata.name, secret]));
  const values = parse(readFileSync(join(folder, 'values.yaml'), 'utf8'));
  const text = (name: string, key: string): string => Buffer.from(byName.get(name).data[key], 'base64').toString();
  assert.equal(text(values.rootKey.existingSecret, 'root-key'), 'the root key itself');
  assert.equal(text(values.identity.existingSecret, 'checkpoint.sealed'), 'sealed checkpoint');
  assert.equal(text(values.identity.existingSecret, 'keys.json'), 'wrapped root key');
  assert.equal(text(values.identity.existingSecret, 'public.json'), '{"nodeId":"ab"}');
  assert.equal(text(values.gateway.tls.existingSecret, 'tls.key'), 'server key');
  for (const name of Object.values(values.crossings.existingSecrets)) assert.ok(byName.has(name));
  for (const secret of secrets) assert.equal(secret.metadata.namespace, 'clinic');
});

test('a node that a person opens has no Secret with the root key, and no value that names one', async () => {
  const { home } = madeHome();
  const folder = await emit(undefined, home);
  assert.ok(!readdirSync(join(folder, 'secrets')).includes('10-root-key.yaml'));
  assert.equal(parse(readFileSync(join(folder, 'values.yaml'), 'utf8')).rootKey, undefined);
  assert.match(readFileSync(join(folder, 'README.md'), 'utf8'), /nectar-byon unlock/);
});

test('overwrites nothing', async () => {
  const { home, keyFile } = madeHome();
  const folder = await emit(keyFile, home);
  const digest = createHash('sha256')
    .update(readFileSync(join(folder, 'values.yaml')))
    .digest('hex');
  const authority = { certificate: '', key: '' };
  const again = emitFiles(folder, {
    name: NAME,
    manifests: [],
    values: {},
    authority,
    nodeId: 'ab'.repeat(16),
    chart: 'x',
  });
  await assert.rejects(again, { code: 'CLI_OUTPUT_EXISTS' });
  assert.equal(
    createHash('sha256')
      .update(readFileSync(join(folder, 'values.yaml')))
      .digest('hex'),
    digest,
  );
});

test('the values are what the chart takes, and leave to it what it sets itself', () => {
  const validate = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(schemaPath, 'utf8')));
  for (const hasRootKey of [true, false]) {
    const values = valuesOf(hasRootKey);
    assert.ok(validate(values), JSON.stringify(validate.errors));
    assert.deepEqual(values.config, { gateway: { maxConnections: 512 } });
  }
});

test('each role has a certificate with one name, for both ends, from one authority', async () => {
  const { pairs } = await createCrossingPairs({ instance: 'node-nectar-byon.clinic', now: NOW, days: 30 });
  const authorities = new Set(Object.values(pairs).map(({ authority }) => authority));
  assert.equal(authorities.size, 1);
  const ca = new X509Certificate([...authorities][0] ?? '');
  assert.ok(ca.ca);
  for (const [role, { certificate }] of Object.entries(pairs)) {
    const own = new X509Certificate(certificate);
    assert.equal(own.subjectAltName, `DNS:${role}.node-nectar-byon.clinic.nectar.internal`);
    assert.deepEqual(own.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    assert.ok(!own.ca);
    assert.ok(own.verify(ca.publicKey));
    assert.equal(own.validToDate.getTime(), NOW + 30 * 86_400_000);
  }
});

test('names are those of the chart', () => {
  assert.equal(fullName({ release: 'clinic' }), 'clinic-nectar-byon');
  assert.equal(fullName({ release: 'nectar' }), 'nectar');
  assert.ok(fullName({ release: 'a'.repeat(53) }).length <= 40);
});

test('the rights that are printed read no Secret for day two, and have no wildcard', () => {
  const documents = parseAllDocuments(renderRbac(NAME)).map((document) => document.toJS());
  const rules = documents.filter(({ kind }) => /Role$/.test(kind)).flatMap(({ rules: own }) => own);
  assert.ok(rules.length > 10);
  assert.doesNotMatch(JSON.stringify(rules), /"\*"/);
  const operator = documents.find(({ kind, metadata }) => kind === 'Role' && metadata.name === 'node-operator');
  assert.doesNotMatch(JSON.stringify(operator), /secrets|pods\/exec/);
});
