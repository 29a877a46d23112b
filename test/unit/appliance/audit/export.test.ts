import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Audit, AuditExportRequest } from '../../../../appliance/audit/index.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { type BundleExpectations, bundleLines, verifyAuditBundle } from '../../../../protocol/merkle/audit-bundle.ts';
import { encodeVerifierKey, parseVerifierKey } from '../../../../protocol/merkle/verifier-key.ts';
import { appendMany, createLogHouse, PATIENT, reading } from './log-house.ts';

const SCRIPT = fileURLToPath(new URL('../../../../scripts/verify-audit-proof.ts', import.meta.url));
const RECORD = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';
const context = { actor: { subject: 'auditor' }, requestId: 'r' };
const { signal } = new AbortController();
const whole: AuditExportRequest = { filter: {}, bodies: true, allLeaves: false, anchors: [] };

async function exported(audit: Audit, request: Partial<AuditExportRequest>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of await audit.export({ ...whole, ...request }, context, signal)) parts.push(part);
  return Buffer.concat(parts);
}

const verify = (bytes: Uint8Array, expected?: BundleExpectations) => verifyAuditBundle(bundleLines(bytes), expected);

async function createReadRecord(t: TestContext) {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 300);
  const older = audit.treeHead();
  await audit.append({ ...reading(1), recordId: RECORD });
  await appendMany(audit, 300, 500);
  await audit.append({ ...reading(2), recordId: RECORD, outcome: 'failure' });
  return { house, audit, older };
}

test('a bundle shows without the node who read a record, and that the list is the one that the log recorded', async (t) => {
  const { audit, older } = await createReadRecord(t);
  const anchors = [{ ...older, where: 'AuditAnchor, L2 block 7' }];
  const bytes = await exported(audit, { filter: { record: RECORD }, anchors });
  const shown = verify(bytes, { vkey: audit.vkey(), head: older });
  assert.deepEqual(
    shown.entries.map(({ index, leaf, body }) => [index, leaf.outcome, body?.includes(PATIENT)]),
    [
      [300, 'success', true],
      [601, 'failure', true],
    ],
  );
  assert.deepEqual(shown.filter, { record: RECORD });
  assert.deepEqual([shown.from, shown.to, shown.checkpoint.size], [0, 602, 603]);
  assert.deepEqual(shown.heads, anchors);
  assert.equal(shown.keyFromOutside, true);
  assert.equal(shown.completeness.is, 'not shown');
  const [last] = (await audit.query({ filter: { type: 'audit.export' }, limit: 1 }, context)).entries;
  assert.equal(last?.index, 602, 'the export is itself in the log');
});

test('every byte of a bundle counts', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 1);
  const older = audit.treeHead();
  await appendMany(audit, 1, 10);
  const bytes = await exported(audit, {
    filter: { type: 'record' },
    anchors: [{ ...older, where: 'a peer' }],
  });
  verify(bytes);
  for (let at = 0; at < bytes.length; at++) {
    for (const flip of at % 97 === 0 ? [1, 0x20] : [1]) {
      const altered = Buffer.from(bytes);
      altered[at] = (altered[at] ?? 0) ^ flip;
      assert.throws(
        () => verify(altered),
        (error) => isNectarError(error) && error.code.startsWith('AUDIT_'),
        `byte ${at} of ${bytes.length}, ${JSON.stringify(altered.subarray(Math.max(0, at - 20), at + 20).toString())}`,
      );
    }
  }
});

test('entries taken out, put in, swapped or stripped of their bodies are found, and so is another question', async (t) => {
  const { audit, older } = await createReadRecord(t);
  const bytes = await exported(audit, {
    filter: { type: 'record', outcome: 'failure' },
    anchors: [{ ...older, where: 'x' }],
  });
  const more = await exported(audit, { filter: { type: 'record' } });
  const lines = [...bundleLines(bytes)];
  const [header = '', entry = '', record = ''] = lines;
  const ofMore = [...bundleLines(more)];
  const { salt: _, body: __, ...stripped } = JSON.parse(entry);
  const { heads: ___, ...headless } = JSON.parse(header);
  const tampered: Record<string, string[]> = {
    'the only entry left out': [header, record],
    'cut short': [header, entry],
    'an entry of another export put in': [header, ofMore[1] ?? '', entry, record],
    'entries swapped': [header, record, entry],
    'a body left out': [header, JSON.stringify(stripped), record],
    'an older head left out': [JSON.stringify({ ...headless, heads: [] }).replace('"heads":[],', ''), entry, record],
    'the record of another export': [header, entry, ofMore.at(-1) ?? ''],
    'no line at all': [],
  };
  for (const [what, altered] of Object.entries(tampered)) {
    assert.throws(
      () => verifyAuditBundle(altered),
      (error) => isNectarError(error) && error.code.startsWith('AUDIT_'),
      what,
    );
  }
  const key = parseVerifierKey(audit.vkey());
  const others = [
    { ...key, name: key.name.replace(/^nectar/, 'nektar') },
    { ...key, publicKey: key.publicKey.map((byte) => byte ^ 1) },
  ];
  for (const other of others) {
    assert.throws(
      () => verify(bytes, { vkey: encodeVerifierKey(other) }),
      (error) => isNectarError(error, 'AUDIT_EXPORT_INVALID'),
    );
  }
  assert.throws(
    () => verify(bytes, { vkey: audit.vkey().replace(/^nectar/, 'nektar') }),
    (error) => isNectarError(error, 'AUDIT_VKEY_INVALID'),
  );
  const forked = { head: { size: older.size, root: 'ab'.repeat(32) } };
  assert.throws(
    () => verify(bytes, forked),
    (error) => isNectarError(error, 'AUDIT_EXPORT_INVALID'),
  );
});

test('with every leaf of the searched time nothing can be missing; of a record it says how many may be', async (t) => {
  const { audit } = await createReadRecord(t);
  const byLeaf = verify(await exported(audit, { filter: { type: 'record.read' }, allLeaves: true }));
  assert.deepEqual([byLeaf.completeness.is, byLeaf.entries.length], ['shown', 602]);
  const ofRecord = verify(await exported(audit, { filter: { record: RECORD, type: 'record' }, allLeaves: true }));
  assert.equal(ofRecord.entries.filter(({ body }) => body !== undefined).length, 2);
  const { completeness } = ofRecord;
  assert.match(completeness.is === 'not shown' ? completeness.reason : '', /^600 leaves .* not disclosed$/);
});

test('without bodies, or with erased ones, the leaves are shown all the same', async (t) => {
  const { house, audit } = await createReadRecord(t);
  const closed = verify(await exported(audit, { filter: { type: 'record' }, bodies: false }));
  assert.equal(closed.entries.length, 602);
  assert.ok(closed.entries.every(({ body }) => body === undefined));
  await audit.erase(new Date(house.clock + 1_000), context);
  const erased = verify(await exported(audit, { filter: { type: 'record' } }));
  assert.deepEqual([erased.entries.length, erased.entries.filter(({ body }) => body === undefined).length], [602, 512]);
});

test('does not export against a head that contradicts the log', async (t) => {
  const { audit, older } = await createReadRecord(t);
  const anchors = [{ ...older, root: 'ab'.repeat(32) as typeof older.root, where: 'a liar' }];
  await assert.rejects(exported(audit, { anchors }), (error) => isNectarError(error, 'AUDIT_CONSISTENCY_INVALID'));
});

test('the stand-alone verifier takes bundles too', async (t) => {
  const { house, audit, older } = await createReadRecord(t);
  const file = join(house.folder, '..', 'bundle.ndjson');
  const anchors = [{ ...older, where: 'a peer' }];
  const bytes = await exported(audit, { filter: { record: RECORD }, anchors });
  await writeFile(file, bytes);
  const run = (...argv: string[]) => spawnSync(process.execPath, [SCRIPT, file, ...argv], { encoding: 'utf8' });
  const good = run('--vkey', audit.vkey(), '--head', `${older.size}:${older.root}`);
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /2 entries are in the log.*same log {3}300 leaves.*not shown.*Dr\. Canary/s);
  assert.equal(JSON.parse(run('--json').stdout).entries.length, 2);
  assert.equal(run('--head', `300:${'ab'.repeat(32)}`).status, 3);
  await writeFile(file, bytes.toString('latin1').replace('Dr. Canary', 'Dr. Canarz'), 'latin1');
  const lied = Buffer.from(bytes)
    .toString('utf8')
    .replace(/"index":300/, '"index":299');
  await writeFile(file, lied);
  assert.equal(run().status, 3);
});
