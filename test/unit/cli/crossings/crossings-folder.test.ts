import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type PairFiles, parsePair } from '../../../../appliance/crossing/tls/pair.ts';
import { issueCrossings, rotateCrossings } from '../../../../cli/provision/crossings/crossings-folder.ts';
import { isNectarError } from '../../../../protocol/errors.ts';

const ROLES = ['gateway', 'store', 'audit', 'rollup'] as const;
const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 30);
const INSTANCE = 'nectar.clinic';

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-crossings-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'crossings');
}

async function filesOf(folder: string, role: (typeof ROLES)[number]): Promise<PairFiles> {
  const read = (name: string): Promise<Buffer> => readFile(join(folder, role, name));
  return { 'tls.crt': await read('tls.crt'), 'tls.key': await read('tls.key'), 'ca.crt': await read('ca.crt') };
}

test('each role gets a pair that it can use, and that is private', async (t) => {
  const folder = await temporary(t);
  const issued = await issueCrossings({ folder, instance: INSTANCE, days: 30, now: NOW });
  assert.deepEqual([issued.authority.isNew, issued.rotation], [true, 'none']);
  for (const role of ROLES) {
    const pair = parsePair(await filesOf(folder, role), { role, instance: INSTANCE }, NOW);
    assert.equal(pair.notAfter, NOW + 30 * DAY_MS);
    assert.equal((await stat(join(folder, role, 'tls.key'))).mode & 0o777, 0o600);
  }
  assert.equal((await stat(join(folder, 'ca', 'authority.pem'))).mode & 0o777, 0o600);
});

test('a second time renews under the same authority, and for no other node', async (t) => {
  const folder = await temporary(t);
  const first = await issueCrossings({ folder, instance: INSTANCE, days: 30, now: NOW });
  const again = await issueCrossings({ folder, days: 30, now: NOW + DAY_MS });
  assert.deepEqual(again.authority, { ...first.authority, isNew: false });
  assert.equal(again.instance, INSTANCE);
  await assert.rejects(issueCrossings({ folder, instance: 'other.clinic', days: 30, now: NOW }), (error) =>
    isNectarError(error, 'CLI_CROSSINGS_FOLDER_INVALID'),
  );
  await writeFile(join(folder, 'ca', 'authority.pem'), 'damaged');
  await assert.rejects(issueCrossings({ folder, instance: INSTANCE, days: 30, now: NOW }), (error) =>
    isNectarError(error, 'CLI_CROSSINGS_FOLDER_INVALID'),
  );
});

test('at every step of a rotation each role believes the certificates of the step before and of this one', async (t) => {
  const folder = await temporary(t);
  const first = await issueCrossings({ folder, instance: INSTANCE, days: 30, now: NOW });
  let before = await filesOf(folder, 'store');
  const steps: string[] = [];
  for (let step = 1; step <= 3; step++) {
    const { rotation } = await rotateCrossings({ folder, days: 30, now: NOW + step * DAY_MS });
    steps.push(rotation);
    const now = await filesOf(folder, 'store');
    // The other role may have got its files already, or not yet.
    for (const [shown, believed] of [
      [before, now],
      [now, before],
    ] as const) {
      const leaf = new X509Certificate(shown['tls.crt']);
      const authorities = believed['ca.crt'].toString('latin1').split(/(?<=-----END CERTIFICATE-----\n)/);
      assert.ok(
        authorities.some((pem) => leaf.verify(new X509Certificate(pem).publicKey)),
        `step ${step}`,
      );
    }
    before = now;
  }
  assert.deepEqual(steps, ['announced', 'moved', 'none']);
  const last = await issueCrossings({ folder, days: 30, now: NOW });
  assert.notEqual(last.authority.fingerprint, first.authority.fingerprint);
  assert.equal(before['ca.crt'].toString('latin1').split('BEGIN CERTIFICATE').length, 2);
});

test('a certificate ends no later than its authority, and a name that is none is refused', async (t) => {
  const folder = await temporary(t);
  const { authority, roles } = await issueCrossings({ folder, instance: INSTANCE, days: 9_000, now: NOW });
  assert.ok(roles.every(({ notAfter }) => notAfter === authority.notAfter));
  for (const instance of ['', 'a b', 'UPPER.case', '*.clinic', 'a..b', `${'x'.repeat(64)}.clinic`]) {
    const other = join(folder, 'other');
    await assert.rejects(issueCrossings({ folder: other, instance, days: 1, now: NOW }), (error) =>
      isNectarError(error, 'CLI_USAGE'),
    );
  }
});

test('says of a folder that cannot be made that it cannot be written', {
  skip: process.platform !== 'linux',
}, async () => {
  await assert.rejects(issueCrossings({ folder: '/proc/x', instance: INSTANCE, days: 1, now: NOW }), (error) =>
    isNectarError(error, 'CLI_OUTPUT_UNWRITABLE'),
  );
});
