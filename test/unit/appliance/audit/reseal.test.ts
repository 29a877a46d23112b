import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseBodyBundle } from '../../../../appliance/audit/body-bundle.ts';
import { createBodySealer, placeOf } from '../../../../appliance/audit/body-seal.ts';
import { createDisk, type Disk } from '../../../../appliance/audit/disk.ts';
import { verifyAuditFolder } from '../../../../appliance/audit/index.ts';
import { markRestored } from '../../../../appliance/audit/restored-mark.ts';
import { nextBodySecret } from '../../../../protocol/envelope/body-secret.ts';
import { until } from '../../../e2e/workplace.ts';
import { appendMany, createLogHouse, type LogHouse, ORIGIN, reading } from './log-house.ts';

const newest = new Uint8Array(32).fill(0x11);
const reader = { actor: { subject: 'auditor' }, requestId: 'r' };

/** A log of two full bundles and a part of a third, by one key; and the secret that takes its place. */
async function twoBundles(house: LogHouse): Promise<Uint8Array> {
  const audit = await house.open();
  await appendMany(audit, 600);
  await audit.stop();
  return nextBodySecret(house.bodyKey, () => newest.slice());
}

const withKeys = (secret: Uint8Array, more: object = {}) => ({ keys: { derive: () => secret.slice() }, ...more });
const bundle = (house: LogHouse, name: string): Buffer => readFileSync(join(house.folder, 'bodies', name));

/** The entries of a log, each with whether a secret opens its body. */
function entries(house: LogHouse, secret: Uint8Array): { index: number; opens: boolean; type: string }[] {
  const sealer = createBodySealer(secret, { sealedAs: () => ORIGIN }, randomBytes);
  return [0, 1, 2].flatMap((number) => {
    const stored = parseBodyBundle(bundle(house, `00${number}`), number).entries;
    return stored.map(({ leaf, sealed }, i) => {
      const index = number * 256 + i;
      const { type } = JSON.parse(Buffer.from(leaf).toString('utf8')) as { type: string };
      try {
        sealer.open(placeOf(index, leaf), sealed ?? assert.fail('erased'));
        return { index, type, opens: true };
      } catch {
        return { index, type, opens: false };
      }
    });
  });
}

test('a start with one more key seals full bundles by it, and every entry opens before, meanwhile and behind', async (t) => {
  const house = await createLogHouse(t);
  const secret = await twoBundles(house);
  const before = ['000', '001'].map((name) => bundle(house, name));
  const audit = await house.open({}, withKeys(secret));
  assert.equal((await audit.entry(3, reader)).index, 3);
  await audit.append(reading(700));
  await until(
    'the bodies to be sealed anew',
    async () => before.every((bytes, i) => !bytes.equals(bundle(house, `00${i}`))) || undefined,
  );
  await audit.stop();
  const verdict = await verifyAuditFolder({ folder: house.folder, vkey: audit.vkey(), bodyKey: secret });
  assert.deepEqual([verdict.integrity, verdict.findings], ['ok', []]);
  // Who has the former key alone opens no full bundle, and nothing that was written since; the newest one alone opens all that.
  const isOld = ({ index }: { index: number }): boolean => index >= 512 && index < 600;
  for (const entry of entries(house, house.bodyKey)) assert.equal(entry.opens, isOld(entry), `${entry.index}`);
  for (const entry of entries(house, newest)) assert.equal(entry.opens, !isOld(entry), `${entry.index}`);
});

test('it is on record, once; a start that finds all sealed writes no bundle anew', async (t) => {
  const house = await createLogHouse(t);
  const secret = await twoBundles(house);
  const recorded = (): number => entries(house, secret).filter(({ type }) => type === 'key.root').length;
  const first = await house.open({}, withKeys(secret));
  await until('the leaf', async () => recorded() === 1 || undefined);
  await first.stop();
  const bytes = bundle(house, '000');
  const written: string[] = [];
  const real = createDisk(house.folder);
  const disk: Disk = {
    ...real,
    replace(files) {
      written.push(...files.map(({ path }) => path));
      return real.replace(files);
    },
  };
  const again = await house.open({}, withKeys(secret, { disk }));
  await again.append(reading(800));
  await again.stop();
  assert.ok(bytes.equals(bundle(house, '000')));
  assert.deepEqual([recorded(), written.filter((path) => path.startsWith('bodies/'))], [1, []]);
});

test('what a full disk or a kill leaves is a mixture that opens, and the next start goes on', async (t) => {
  const house = await createLogHouse(t);
  const secret = await twoBundles(house);
  const before = ['000', '001'].map((name) => bundle(house, name));
  const real = createDisk(house.folder);
  const refused = Promise.withResolvers<void>();
  const disk: Disk = {
    ...real,
    async replace(files) {
      if (!files.some(({ path }) => path === 'bodies/001')) return real.replace(files);
      refused.resolve();
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    },
  };
  const audit = await house.open({}, withKeys(secret, { disk }));
  await refused.promise;
  await audit.append(reading(701));
  await audit.stop();
  assert.deepEqual(
    before.map((bytes, i) => bytes.equals(bundle(house, `00${i}`))),
    [false, true],
  );
  const vkey = audit.vkey();
  assert.equal((await verifyAuditFolder({ folder: house.folder, vkey, bodyKey: secret })).integrity, 'ok');
  const again = await house.open({}, withKeys(secret));
  await until('the rest to be sealed anew', async () => !before[1]?.equals(bundle(house, '001')) || undefined);
  await again.stop();
  assert.equal((await verifyAuditFolder({ folder: house.folder, vkey, bodyKey: secret })).integrity, 'ok');
});

test('files beside the log that a former key made are taken, and those of a foreign one are not', async (t) => {
  const house = await createLogHouse(t);
  const secret = await twoBundles(house);
  const audit = await house.open({}, withKeys(secret));
  await markRestored(house.folder, secret, house.clock++);
  await audit.stop();
  const third = nextBodySecret(secret, () => new Uint8Array(32).fill(0x22));
  const again = await house.open({}, withKeys(third));
  assert.equal(again.standing().epochs?.length, 1);
  assert.equal((await again.entry(0, reader)).index, 0);
  await again.stop();
  await markRestored(house.folder, new Uint8Array(32).fill(0x33), house.clock++);
  const foreign = await house.open({}, withKeys(third));
  assert.match(JSON.stringify(foreign.readiness()), /restored.*does not authenticate/);
});
