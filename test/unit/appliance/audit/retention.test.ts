import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyBundlePath, parseBodyBundle } from '../../../../appliance/audit/body-bundle.ts';
import { createDisk } from '../../../../appliance/audit/disk.ts';
import { eraseBodies } from '../../../../appliance/audit/erase.ts';
import type { Audit } from '../../../../appliance/audit/index.ts';
import { createRetention } from '../../../../appliance/audit/retention.ts';
import { createLogger } from '../../../../appliance/telemetry/index.ts';
import { auditFacts } from '../../../../protocol/merkle/audit-facts.ts';
import { verifyAuditProof } from '../../../../protocol/merkle/audit-proof.ts';
import { appendMany, createLogHouse, type LogHouse } from './log-house.ts';

const DAY_MS = 86_400_000;
const context = { actor: { subject: 'auditor' }, requestId: 'r' };
const signal = new AbortController().signal;

/** The daily look at an open log, without waiting for the day. */
function retentionOf(house: LogHouse, audit: Audit, days: number) {
  const disk = createDisk(house.folder);
  return createRetention({
    days,
    leaves: () => ({
      size: () => audit.treeHead().size,
      readBundle: async (bundle) =>
        parseBodyBundle((await disk.read(bodyBundlePath(bundle))) ?? new Uint8Array(), bundle).entries,
    }),
    erase: (before) => audit.erase(before, { actor: { subject: 'node' }, requestId: 'node' }),
    log: createLogger({ level: 'silent' }),
    now: () => house.clock,
  });
}

test('erases the bodies whose retention has ended, says so in the log, and says what comes next', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 256);
  house.clock += 10 * DAY_MS;
  await appendMany(audit, 300, 300);
  house.clock += 21 * DAY_MS;
  const retention = retentionOf(house, audit, 30);
  assert.equal(await retention.run(signal), 256);
  const next = retention.next() ?? '';
  assert.ok(Math.abs(Date.parse(next) - house.clock - 9 * DAY_MS) < DAY_MS, next);
  const [erase] = (await audit.query({ filter: { type: 'audit.erase' }, limit: 1 }, context)).entries;
  assert.equal(auditFacts(erase?.body).subject, 'node');
  assert.equal((await audit.entry(3, context)).body, undefined);
  assert.notEqual((await audit.entry(256, context)).body, undefined);
  verifyAuditProof(await audit.prove(3), audit.vkey());
  const verdict = await audit.verify({ anchors: [], signal });
  assert.deepEqual([verdict.integrity, verdict.bodies.erased], ['ok', 256]);
});

test('keeps bodies for ever where the owner says so, and adds nothing to the log when nothing is due', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 256);
  house.clock += 29 * DAY_MS;
  const retention = retentionOf(house, audit, 30);
  assert.equal(await retention.run(signal), 0);
  house.clock += 29 * DAY_MS;
  const forever = retentionOf(house, audit, 0);
  assert.deepEqual([await forever.run(signal), forever.next()], [0, undefined]);
  assert.equal(audit.treeHead().size, 256);
  assert.equal(await retention.run(signal), 256);
  assert.equal(await retention.run(signal), 0);
  assert.equal(audit.treeHead().size, 257);
});

test('a body that no recorded erasure explains was taken away', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 512);
  await audit.erase(new Date(house.clock - 10_000_000), context);
  const disk = createDisk(house.folder);
  const readBundle = async (bundle: number) =>
    parseBodyBundle((await disk.read(bodyBundlePath(bundle))) ?? new Uint8Array(), bundle).entries;
  await eraseBodies(disk, { size: () => 512, readBundle } as never, new Date(house.clock + 1_000));
  const verdict = await audit.verify({ anchors: [], signal });
  assert.equal(verdict.integrity, 'violated');
  assert.match(JSON.stringify(verdict.findings), /"index":0.*no recorded erasure reaches so far/);
});
