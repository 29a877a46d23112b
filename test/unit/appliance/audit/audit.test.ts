import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isNectarError } from '../../../../protocol/errors.ts';
import { verifyAuditProof } from '../../../../protocol/merkle/audit-proof.ts';
import { verifyCheckpoint } from '../../../../protocol/merkle/checkpoint.ts';
import { merkleRoot } from '../../../../protocol/merkle/compact-range.ts';
import { parseEntryBundle } from '../../../../protocol/merkle/entry-bundle.ts';
import { parseVerifierKey } from '../../../../protocol/merkle/verifier-key.ts';
import { verifyConsistency } from '../../../../protocol/merkle/verify.ts';
import { appendMany, createLogHouse, ORIGIN, PATIENT, reading } from './log-house.ts';

const reader = { actor: { subject: 'auditor' }, requestId: 'r' };

async function allBytes(folder: string): Promise<Buffer> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return Buffer.concat(
    await Promise.all(
      names.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name))),
    ),
  );
}

test('numbers appends without a gap, however many arrive at once', async (t) => {
  const audit = await (await createLogHouse(t)).open();
  const appended = await appendMany(audit, 600);
  assert.deepEqual(
    appended.map(({ index }) => index),
    Array.from({ length: 600 }, (_, i) => i),
  );
  assert.equal(audit.treeHead().size, 600);
});

test('reads an entry back as the FHIR AuditEvent that it was, and logs the reading first', async (t) => {
  const audit = await (await createLogHouse(t)).open();
  await appendMany(audit, 3);
  const { leaf, body, index } = await audit.entry(1, reader);
  assert.equal(index, 1);
  assert.equal(leaf.type, 'record.read');
  assert.equal(body?.resourceType, 'AuditEvent');
  assert.match(JSON.stringify(body), new RegExp(PATIENT));
  assert.equal(audit.treeHead().size, 4);
  const [last] = (await audit.query({ filter: {}, limit: 1 }, reader)).entries;
  assert.equal(last?.leaf.type, 'audit.read');
  assert.match(JSON.stringify(last?.body), /auditor/);
  assert.equal(audit.treeHead().size, 5, 'a reading is logged once, not the reading of the reading');
  await assert.rejects(audit.entry(99, reader), (error) => isNectarError(error, 'AUDIT_INDEX_OUT_OF_RANGE'));
});

test('leaves nothing personal or linkable in any file', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 300);
  await audit.entry(3, reader);
  await audit.stop();
  const bytes = await allBytes(house.folder);
  for (const canary of [
    PATIENT,
    'token-canary',
    'Dr. Canary',
    '192.0.2.7',
    'request-1',
    'rec0000',
    'treatment-canary',
    'bafy1',
    'auditor',
  ]) {
    assert.equal(bytes.indexOf(canary), -1, canary);
  }
  assert.notEqual(bytes.indexOf('"type":"record.read"'), -1, 'the leaves are there');
});

test('goes on after a clean stop where it stood, across bundle ends', async (t) => {
  const house = await createLogHouse(t);
  const roots: string[] = [];
  for (const count of [1, 254, 1, 1, 300, 0, 211]) {
    const audit = await house.open();
    if (roots.length > 0) assert.equal(audit.treeHead().root, roots.at(-1));
    await appendMany(audit, count, audit.treeHead().size);
    roots.push(audit.treeHead().root);
    await audit.stop();
  }
  const audit = await house.open();
  assert.equal(audit.treeHead().size, 768);
  const verdict = await audit.verify({ anchors: [] });
  assert.deepEqual(
    [verdict.integrity, verdict.completeness, verdict.size, verdict.findings.length],
    ['ok', 'unknown', 768, 0],
  );
  assert.equal(verdict.bodies.opened, 768);
});

test('goes on after a stop without any warning where the last acknowledged leaf stood', async (t) => {
  const house = await createLogHouse(t);
  const first = await house.open();
  await appendMany(first, 700);
  const head = first.treeHead();
  const second = await house.open(); // the first is never stopped, as after kill -9
  assert.deepEqual(second.treeHead(), head);
  await appendMany(second, 100, 700);
  assert.equal((await second.verify({ anchors: [{ ...head, where: 'a witness' }] })).completeness, 'ok');
});

test('writes a tree that the tlog-tiles layout describes', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 520);
  const { note, root, size } = await audit.checkpoint();
  const leaves: Uint8Array[] = [];
  for (const [path, width] of [
    ['tile/entries/000', 256],
    ['tile/entries/001', 256],
    ['tile/entries/002.p/8', 8],
  ] as const) {
    leaves.push(...parseEntryBundle(await readFile(join(house.folder, path)), width, path));
  }
  assert.equal(Buffer.from(merkleRoot(leaves)).toString('hex'), root);
  assert.equal(size, 520);
  assert.equal((await readFile(join(house.folder, 'tile/0/001'))).length, 8192);
  assert.equal((await readFile(join(house.folder, 'tile/1/000.p/2'))).length, 64);
  assert.equal(await readFile(join(house.folder, 'checkpoint'), 'utf8'), note);
  assert.equal(verifyCheckpoint(note, parseVerifierKey(audit.vkey())).origin, ORIGIN);
  await appendMany(audit, 248, 520);
  await audit.checkpoint();
  assert.deepEqual(
    (await readdir(join(house.folder, 'tile/entries'))).sort(),
    ['000', '001', '002'],
    'partial tiles go once the full one is there',
  );
});

test('signs a checkpoint by itself every so many leaves', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open({
    config: { checkpointEveryLeaves: 10, retentionDays: 0, maxPendingAppends: 4096, maxBodyBytes: 65536 },
  });
  for (let i = 0; i < 3; i++) await appendMany(audit, 10, 10 * i);
  await audit.stop();
  assert.match(await readFile(join(house.folder, 'checkpoint'), 'utf8'), /\n30\n/);
});

test('proves any entry to a verifier that knows only the key, and consistency between checkpoints', async (t) => {
  const audit = await (await createLogHouse(t)).open();
  await appendMany(audit, 300);
  const old = await audit.checkpoint();
  await appendMany(audit, 300, 300);
  for (const index of [0, 255, 256, 300, 599]) {
    const proof = JSON.parse(JSON.stringify(await audit.prove(index, reader)));
    const shown = verifyAuditProof(proof, audit.vkey());
    assert.match(shown.body ?? '', new RegExp(PATIENT));
    assert.equal(shown.index, index);
  }
  const bare = await audit.prove(5);
  assert.equal(bare.body, undefined, 'nobody to log, nothing to disclose');
  assert.equal(verifyAuditProof(bare, audit.vkey()).body, undefined);
  const { checkpoint, path } = await audit.consistency(old.size);
  const head = (issued: { size: number; root: string }): { size: number; root: Uint8Array } => ({
    size: issued.size,
    root: Buffer.from(issued.root, 'hex'),
  });
  verifyConsistency(
    head(old),
    head(checkpoint),
    path.map((hash) => Buffer.from(hash, 'hex')),
  );
});

test('erases bodies after their retention and keeps every proof valid', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 300);
  const kept = await audit.prove(7, reader);
  const { erased } = await audit.erase(new Date(house.clock + 1000), reader);
  assert.equal(erased, 256, 'only full bundles');
  assert.equal((await audit.entry(7, reader)).body, undefined);
  assert.notEqual((await audit.entry(299, reader)).body, undefined);
  verifyAuditProof(kept, audit.vkey());
  verifyAuditProof(await audit.prove(7), audit.vkey());
  const verdict = await audit.verify({ anchors: [] });
  assert.equal(verdict.integrity, 'ok');
  assert.equal(verdict.bodies.erased, 256);
});

test('tells the store what happened to records', async (t) => {
  const audit = await (await createLogHouse(t)).open();
  await audit.append(reading(0, 'record.create'));
  await audit.append({ type: 'node.start', outcome: 'success', context: reader });
  await audit.append(reading(2, 'record.delete'));
  const found = [];
  for await (const evidence of audit.records(0, new AbortController().signal)) found.push(evidence);
  const { leafHash, time } = found[0] ?? {};
  assert.match(`${leafHash} ${time}`, /^[0-9a-f]{64} 2026-11-23T/);
  assert.deepEqual(found[0], {
    index: 0,
    leafHash,
    time,
    type: 'record.create',
    outcome: 'success',
    recordId: reading(0).recordId,
    version: 1,
    cid: 'bafy0',
  });
  assert.deepEqual(
    found.map(({ index }) => index),
    [0, 2],
  );
});

test('is not ready before its start, and refuses every call', async (t) => {
  const audit = (await createLogHouse(t)).create();
  assert.equal(audit.readiness().ready, false);
  await assert.rejects(audit.append(reading(0)), (error) => isNectarError(error, 'NODE_NOT_READY'));
  await assert.rejects(audit.verify({ anchors: [] }), (error) => isNectarError(error, 'NODE_NOT_READY'));
  assert.throws(
    () => audit.treeHead(),
    (error) => isNectarError(error, 'NODE_NOT_READY'),
  );
});

test('refuses events that cannot be recorded, and records any name that a client can send', async (t) => {
  const audit = await (await createLogHouse(t)).open();
  await assert.rejects(audit.append({ ...reading(0), type: 'Record.Read Jane' }), (error) =>
    isNectarError(error, 'AUDIT_EVENT_INVALID'),
  );
  const long = { ...reading(0), detail: { note: 'x'.repeat(70_000) } };
  await assert.rejects(audit.append(long), (error) => isNectarError(error, 'AUDIT_EVENT_INVALID'));
  assert.equal(audit.treeHead().size, 0);
  await audit.append({
    ...reading(1),
    context: { actor: { subject: 'a\ud800b', name: '\u0000\u202e"\\' }, requestId: '\udfff' },
  });
  assert.equal((await audit.entry(0, reader)).leaf.outcome, 'success');
});

test('starts damaged, not silently shorter, when leaves behind the checkpoint are gone', async (t) => {
  const house = await createLogHouse(t);
  const first = await house.open();
  await appendMany(first, 300);
  await first.stop();
  await rm(join(house.folder, 'bodies/001'));
  const second = await house.open();
  assert.equal(second.readiness().ready, false);
  await assert.rejects(second.append(reading(1)), (error) => isNectarError(error, 'AUDIT_DAMAGED'));
  const verdict = await second.verify({ anchors: [] });
  assert.equal(verdict.completeness, 'violated');
  assert.ok(verdict.findings.some(({ code }) => code === 'AUDIT_TRUNCATED'));
});

test('starts damaged when the checkpoint was removed or altered', async (t) => {
  const house = await createLogHouse(t);
  const first = await house.open();
  await appendMany(first, 5);
  await first.stop();
  const path = join(house.folder, 'checkpoint');
  const note = await readFile(path, 'utf8');
  await writeFile(path, note.replace('\n5\n', '\n4\n'));
  assert.equal((await house.open()).readiness().ready, false);
  await rm(path);
  assert.equal((await house.open()).readiness().ready, false);
  await writeFile(path, note);
  assert.equal((await house.open()).readiness().ready, true);
});
