import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'yaml';
import { readPublicIdentity } from '../../../../appliance/config/index.ts';
import { parsePair } from '../../../../appliance/crossing/tls/pair.ts';
import { byKeyFile } from '../../../../appliance/keys/index.ts';
import { emitFiles } from '../../../../cli/provision/kubernetes/emit-files.ts';
import { buildEmission, keepPublicHalf, removePrivate } from '../../../../cli/provision/kubernetes/init-kubernetes.ts';
import { readSecret } from '../../../../cli/provision/kubernetes/secret-file.ts';
import { createHome } from '../../../../cli/provision/process/create-home.ts';
import { type Captured, capture, fakeTerminal } from '../capture.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-renew-'));
after(() => rmSync(folder, { recursive: true, force: true }));
// The clock of the terminal that the commands run at.
const NOW = fakeTerminal().terminal.now();
const ROLES = ['gateway', 'store', 'audit', 'rollup'] as const;
const INSTANCE = 'clinic-nectar-byon.ward';
const API = '12-api-certificate.yaml';

interface Emitted {
  readonly home: string;
  readonly out: string;
  readonly keyFile: string;
}

/** What `init --target kubernetes --emit` leaves: the public half as a home, the rest in a folder. */
async function emit(name: string): Promise<Emitted> {
  const [home, out, keyFile] = [join(folder, name), join(folder, `${name}-emitted`), join(folder, `${name}.key`)];
  const config = { version: 1, keys: { keyFile } };
  const { signal } = new AbortController();
  await createHome(
    {
      ...{ home, config, descriptor: Buffer.from('{}\n'), signal, now: () => NOW },
      ...{ enrol: byKeyFile(keyFile), names: ['clinic-nectar-byon-gateway', 'clinic.example'] },
    },
    () => undefined,
  );
  const cluster = {
    ...{ kubeconfig: undefined, context: undefined, namespace: 'ward', release: 'clinic' },
    ...{ chart: 'oci://x/nectar-byon', registry: undefined, storageClass: undefined, values: [] },
  };
  const emission = await buildEmission({
    ...{ cluster, config, keyFile, names: ['clinic.example'], folder: home, now: NOW },
    ...{ identity: readPublicIdentity(home), descriptor: Buffer.from('{}\n') },
  });
  await emitFiles(out, emission);
  await keepPublicHalf(home, { cluster, emission, state: 'emitted' });
  await removePrivate(home);
  return { home, out, keyFile };
}

const run = (...args: string[]): Promise<Captured> => capture(args, { workingFolder: folder });
const renew = ({ home, out }: Emitted, ...more: string[]): Promise<Captured> =>
  run('tls', 'renew', '--home', home, '--emit', out, ...more);
const rotate = ({ home, out }: Emitted): Promise<Captured> => run('crossings', 'rotate', '--home', home, '--emit', out);

async function secretOf({ out }: Emitted, file: string): Promise<Record<string, string>> {
  const data = await readSecret(join(out, 'secrets', file));
  return Object.fromEntries([...data].map(([key, bytes]) => [key, bytes.toString()]));
}

async function pairOf(emitted: Emitted, role: (typeof ROLES)[number]) {
  const data = await readSecret(join(emitted.out, 'secrets', `13-crossing-${role}.yaml`));
  const part = (name: string): Buffer => data.get(name) ?? Buffer.alloc(0);
  return { 'tls.crt': part('tls.crt'), 'tls.key': part('tls.key'), 'ca.crt': part('ca.crt') };
}

type Pair = Awaited<ReturnType<typeof pairOf>>;
const believes = (ca: Pair, shown: Pair): boolean =>
  ca['ca.crt']
    .toString()
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .some((pem) => new X509Certificate(shown['tls.crt']).verify(new X509Certificate(pem).publicKey));

test('writes another certificate of the API, of the same CA and for the same names, and says what to apply', async () => {
  const emitted = await emit('a');
  const before = await secretOf(emitted, API);
  const { code, stdout, stderr } = await renew(emitted, '--name', '10.4.5.6');
  assert.equal(code, 0, stderr);
  const now = await secretOf(emitted, API);
  const [old, made] = [before, now].map((data) => new X509Certificate(data['tls.crt'] ?? ''));
  assert.ok(old && made);
  assert.notEqual(made.serialNumber, old.serialNumber);
  assert.equal(now['ca.crt'], before['ca.crt']);
  assert.ok(made.verify(new X509Certificate(before['ca.crt'] ?? '').publicKey));
  for (const name of ['clinic.example', 'clinic-nectar-byon-gateway', 'clinic-nectar-byon-gateway.ward.svc'])
    assert.ok(old.checkHost(name) === undefined || made.checkHost(name) !== undefined, name);
  assert.equal(made.checkHost('clinic.example'), 'clinic.example');
  assert.equal(made.checkIP('10.4.5.6'), '10.4.5.6');
  for (const file of [API, ...ROLES.map((role) => `13-crossing-${role}.yaml`)]) {
    assert.ok(stdout.includes(join(emitted.out, 'secrets', file)), file);
    assert.equal(statSync(join(emitted.out, 'secrets', file)).mode & 0o777, 0o600);
  }
  assert.match(stdout, /kubectl -n ward apply --server-side/);
});

test('roles believe the pairs of before and those of now, in both directions', async () => {
  const emitted = await emit('b');
  const before = await pairOf(emitted, 'store');
  assert.equal((await renew(emitted)).code, 0);
  const now = await pairOf(emitted, 'store');
  assert.notDeepEqual(now['tls.crt'], before['tls.crt']);
  assert.ok(believes(before, now) && believes(now, before));
  for (const role of ROLES) parsePair(await pairOf(emitted, role), { role, instance: INSTANCE }, NOW);
});

test('replaces the authority between the roles in three steps, none of which they do not believe', async () => {
  const emitted = await emit('c');
  const first = await pairOf(emitted, 'audit');
  const api = await secretOf(emitted, API);
  let before = first;
  const said: string[] = [];
  for (let step = 1; step <= 3; step++) {
    const { code, stdout, stderr } = await rotate(emitted);
    assert.equal(code, 0, stderr);
    said.push(/is announced|of the new authority/.exec(stdout)?.[0] ?? 'done');
    const now = await pairOf(emitted, 'audit');
    assert.ok(believes(before, now) && believes(now, before), `step ${step}`);
    before = now;
    // A renewal between two steps stays in the step.
    assert.equal((await renew(emitted)).code, 0);
    assert.ok(believes(await pairOf(emitted, 'audit'), before), `step ${step}`);
  }
  assert.deepEqual(said, ['is announced', 'of the new authority', 'done']);
  assert.ok(!believes(first, before) && !believes(before, first));
  assert.equal((await secretOf(emitted, API))['ca.crt'], api['ca.crt']);
});

test('makes the certificate of the CA anew when it is asked to, which clients of before still believe', async () => {
  const emitted = await emit('d');
  const before = await readFile(join(emitted.home, 'tls', 'ca.crt'), 'utf8');
  const { code, stdout, stderr } = await renew(emitted, '--authority', '--name', 'other.example');
  assert.equal(code, 0, stderr);
  const own = readFileSync(join(emitted.home, 'tls', 'ca.crt'), 'utf8');
  const now = await secretOf(emitted, API);
  assert.notEqual(own, before);
  assert.equal(now['ca.crt'], own);
  const made = new X509Certificate(now['tls.crt'] ?? '');
  assert.equal(made.checkHost('other.example'), 'other.example');
  for (const ca of [before, own]) assert.ok(made.verify(new X509Certificate(ca).publicKey));
  assert.match(stdout, /tls\/ca\.crt/);
});

test('goes without the folder of init where the Secret of the cluster is named, and says what that costs', async () => {
  const emitted = await emit('e');
  const identity = join(folder, 'e-identity.yaml');
  // As `kubectl get secret -o yaml` prints it, with more than was applied.
  const data = Object.fromEntries(
    [...(await readSecret(join(emitted.out, 'secrets', '11-identity.yaml')))].map(([key, bytes]) => [
      key,
      bytes.toString('base64'),
    ]),
  );
  const metadata = { name: 'clinic-nectar-byon-identity', uid: '1', resourceVersion: '7' };
  writeFileSync(identity, stringify({ apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata, data }));
  rmSync(emitted.out, { recursive: true });
  const { code, stdout, stderr } = await renew(emitted, '--identity', identity, '--key-file', emitted.keyFile);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /refuse one another/);
  assert.deepEqual(readdirSync(join(emitted.out, 'secrets')), [
    API,
    ...ROLES.toSorted().map((r) => `13-crossing-${r}.yaml`),
  ]);
  const again = await renew(emitted, '--identity', identity);
  assert.doesNotMatch(again.stdout, /refuse one another/);
});

test('writes nothing with the wrong key, of another node, or from what is no Secret', async () => {
  const [own, other] = [await emit('f'), await emit('g')];
  const before = await secretOf(own, API);
  const pairs = await pairOf(own, 'store');
  const elsewhere = join(other.out, 'secrets', '11-identity.yaml');
  const noSecret = join(folder, 'no-secret.yaml');
  writeFileSync(noSecret, 'kind: Secret\ndata: {keys.json: "%%%"}\n');
  const cases: readonly [args: readonly string[], code: RegExp][] = [
    [['--key-file', other.keyFile], /KEY_FILE_WRONG/],
    [['--identity', elsewhere], /it is of another node[\s\S]*CLI_SECRET_FILE_INVALID/],
    [['--identity', noSecret], /CLI_SECRET_FILE_INVALID/],
    [['--identity', join(folder, 'absent.yaml')], /ENOENT[\s\S]*CLI_SECRET_FILE_INVALID/],
    [['--name', 'not.permitted.example'], /GATEWAY_CERTIFICATE_NAME_EXCLUDED/],
  ];
  for (const [args, expected] of cases) {
    const { code, stderr } = await renew(own, ...args);
    assert.notEqual(code, 0);
    assert.match(stderr, expected);
  }
  assert.deepEqual(await secretOf(own, API), before);
  assert.deepEqual(await pairOf(own, 'store'), pairs);
  const left = readdirSync(folder).filter((name) => name.includes('.scratch-'));
  assert.deepEqual(left, []);
});

test('a file of the Secret that is named to lie elsewhere is not written', async () => {
  const emitted = await emit('h');
  const path = join(emitted.out, 'secrets', '11-identity.yaml');
  const data = Object.fromEntries([...(await readSecret(path))].map(([key, bytes]) => [key, bytes.toString('base64')]));
  data['../../../escaped.sealed'] = 'AAAA';
  writeFileSync(path, stringify({ kind: 'Secret', data }));
  assert.equal((await renew(emitted)).code, 0);
  assert.ok(!readdirSync(folder).includes('escaped.sealed'));
});
