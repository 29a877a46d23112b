import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { encodeGroup, parseBodyBundle, type StoredEntry } from '../../../../appliance/audit/body-bundle.ts';
import { type AuditVerdict, verifyAuditFolder } from '../../../../appliance/audit/index.ts';
import { cosignedMessage, encodeTimestampedSignature } from '../../../../protocol/merkle/cosignature.ts';
import { encodeNote, noteSignature, parseNote } from '../../../../protocol/merkle/note.ts';
import { encodeVerifierKey, SIGNATURE_TYPE } from '../../../../protocol/merkle/verifier-key.ts';
import { appendMany, createLogHouse, type LogHouse } from './log-house.ts';

interface AtRest {
  readonly house: LogHouse;
  readonly vkey: string;
  readonly head: { size: number; root: AuditVerdict['root'] };
  verify(extra?: Partial<Parameters<typeof verifyAuditFolder>[0]>): Promise<AuditVerdict>;
}

async function logAtRest(t: Parameters<typeof createLogHouse>[0], count: number): Promise<AtRest> {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, count);
  const [head, vkey] = [audit.treeHead(), audit.vkey()];
  await audit.stop();
  return {
    house,
    vkey,
    head,
    verify: (extra) => verifyAuditFolder({ folder: house.folder, vkey, bodyKey: house.bodyKey, ...extra }),
  };
}

/** What a verification covers: `generations` and `terms` are caches, which say nothing that the leaves do not (their own tests). */
async function files(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const covered = entries.filter(
    (entry) => entry.isFile() && entry.name !== 'generations' && !entry.parentPath.endsWith('/terms'),
  );
  return covered.map((entry) => join(entry.parentPath, entry.name));
}

test('verifies a log whose node is down, with and without the body key', async (t) => {
  const { verify, head } = await logAtRest(t, 300);
  const progress: number[] = [];
  const verdict = await verify({ onProgress: ({ leaves, total }) => progress.push(leaves / total) });
  assert.deepEqual(
    { ...verdict, findings: verdict.findings.length },
    { integrity: 'ok', completeness: 'unknown', ...head, findings: 0, epochs: [], bodies: { opened: 300, erased: 0 } },
  );
  assert.deepEqual(progress, [256 / 300, 1]);
  assert.equal((await verify({ anchors: [{ ...head, where: 'L2' }] })).completeness, 'ok');
  const { bodyKey: _none, ...locked } = { bodyKey: undefined };
  assert.deepEqual(
    (
      await verifyAuditFolder({
        folder: (await logAtRest(t, 2)).house.folder,
        vkey: (await logAtRest(t, 0)).vkey,
        ...locked,
      })
    ).bodies,
    { opened: 0, erased: 0 },
  );
});

test('detects a flipped byte anywhere in a small log', async (t) => {
  const { house, verify } = await logAtRest(t, 1);
  let flipped = 0;
  for (const path of await files(house.folder)) {
    const bytes = await readFile(path);
    // Of a ciphertext, whose bytes are all alike to its tag, every seventeenth.
    for (let i = 0; i < bytes.length; i += i > 400 ? 17 : 1) {
      const changed = Buffer.from(bytes);
      changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8));
      await writeFile(path, changed);
      assert.equal((await verify()).integrity, 'violated', `${path} byte ${i}`);
      flipped += 1;
    }
    await writeFile(path, bytes);
  }
  assert.ok(flipped > 600, String(flipped));
  assert.equal((await verify()).integrity, 'ok');
});

test('detects a flipped byte in any file of a log with full tiles, and names the file', async (t) => {
  const { house, verify } = await logAtRest(t, 300);
  for (const path of await files(house.folder)) {
    const bytes = await readFile(path);
    for (const at of [0, 3, bytes.length >> 1, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      await writeFile(path, changed);
      const verdict = await verify();
      assert.equal(verdict.integrity, 'violated', `${path} byte ${at}`);
      const relative = path.slice(house.folder.length + 1);
      const named = verdict.findings.some(
        (found) =>
          found.path === relative ||
          found.code.startsWith('AUDIT_NOTE') ||
          found.code.startsWith('AUDIT_CHECKPOINT') ||
          found.code === 'AUDIT_BODY_INVALID',
      );
      assert.ok(named, `${relative} byte ${at}: ${JSON.stringify(verdict.findings)}`);
    }
    await rm(path);
    const gone = await verify();
    if (!path.includes('.p/'))
      assert.ok(gone.integrity === 'violated' || gone.completeness === 'violated', `${path} removed`);
    await writeFile(path, bytes);
  }
});

test('detects bodies that changed places', async (t) => {
  const { house, verify } = await logAtRest(t, 2);
  const path = join(house.folder, 'bodies/000');
  const [first, second] = parseBodyBundle(await readFile(path), 0).entries as [StoredEntry, StoredEntry];
  const swapped = [
    { ...first, sealed: second.sealed },
    { ...second, sealed: first.sealed },
  ];
  await writeFile(path, encodeGroup(0, swapped));
  const verdict = await verify();
  assert.equal(verdict.integrity, 'violated');
  assert.deepEqual(
    verdict.findings.map(({ code, index }) => [code, index]),
    [
      ['AUDIT_BODY_INVALID', 0],
      ['AUDIT_BODY_INVALID', 1],
    ],
  );
});

test('detects a tail that was cut off, by the checkpoint, and by an anchor when the checkpoint was rolled back', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 10);
  await audit.checkpoint();
  const older = await mkdtemp(join(tmpdir(), 'nectar-audit-old-'));
  t.after(() => rm(older, { recursive: true, force: true }));
  await cp(house.folder, older, { recursive: true });
  await appendMany(audit, 10, 10);
  const head = audit.treeHead();
  await audit.stop();
  const options = { vkey: audit.vkey(), bodyKey: house.bodyKey };

  const rolledBack = await verifyAuditFolder({ ...options, folder: older });
  assert.deepEqual([rolledBack.integrity, rolledBack.completeness], ['ok', 'unknown'], 'nobody outside knows better');
  const anchored = await verifyAuditFolder({ ...options, folder: older, anchors: [{ ...head, where: 'L2 block 7' }] });
  assert.deepEqual([anchored.integrity, anchored.completeness], ['ok', 'violated']);
  assert.deepEqual(
    anchored.findings.map(({ code, where }) => [code, where]),
    [['AUDIT_TRUNCATED', 'L2 block 7']],
  );

  await cp(join(older, 'bodies'), join(house.folder, 'bodies'), { recursive: true });
  const cut = await verifyAuditFolder({ ...options, folder: house.folder });
  assert.equal(cut.completeness, 'violated');
});

test('detects a fork: the same key, another history', async (t) => {
  const one = await logAtRest(t, 20);
  const other = await logAtRest(t, 21);
  const verdict = await one.verify({ anchors: [{ size: 20, root: (await other.verify()).root, where: 'a peer' }] });
  assert.equal(verdict.integrity, 'violated');
  assert.ok(verdict.findings.some(({ code, where }) => code === 'AUDIT_FORKED' && where === 'a peer'));
});

test('takes a cosignature of a known witness for a tree head kept outside', async (t) => {
  const { house, verify } = await logAtRest(t, 4);
  const seed = new Uint8Array(32).fill(77);
  const witness = {
    name: 'witness.example/w',
    type: SIGNATURE_TYPE.cosignature,
    publicKey: ed25519.getPublicKey(seed),
  };
  const path = join(house.folder, 'checkpoint');
  const note = parseNote(await readFile(path, 'utf8'));
  const signature = encodeTimestampedSignature({
    timestamp: 1_800_000_000,
    signature: ed25519.sign(cosignedMessage(note.text, 1_800_000_000), seed),
  });
  await writeFile(path, encodeNote({ ...note, signatures: [...note.signatures, noteSignature(witness, signature)] }));
  assert.equal((await verify()).completeness, 'unknown');
  assert.equal((await verify({ witnesses: [encodeVerifierKey(witness)] })).completeness, 'ok');
});

test('stops when it is told to', async (t) => {
  const { verify } = await logAtRest(t, 3);
  await assert.rejects(verify({ signal: AbortSignal.abort() }));
});

test('tells torn bytes at the end of a log at rest from altered ones', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 4);
  const path = join(house.folder, 'bodies/000');
  const whole = await readFile(path);
  await writeFile(path, Buffer.concat([whole, whole.subarray(0, 99)]));
  const verdict = await verifyAuditFolder({ folder: house.folder, vkey: audit.vkey(), bodyKey: house.bodyKey });
  assert.deepEqual([verdict.integrity, verdict.size], ['ok', 4]);
  assert.deepEqual(
    verdict.findings.map(({ code, bears }) => [code, bears]),
    [['AUDIT_TAIL_TORN', 'none']],
  );
  await truncate(path, whole.length);
});

test('takes a file that cannot be read for one that was altered, and goes on', async (t) => {
  const { house, verify } = await logAtRest(t, 300);
  const path = join(house.folder, 'tile/0/000');
  await rm(path);
  await mkdir(path);
  const verdict = await verify();
  assert.equal(verdict.integrity, 'violated');
  assert.equal(verdict.size, 300);
  assert.ok(verdict.findings.some((found) => found.path === 'tile/0/000'));
});

test('reports no false alarm while the log is growing and signing', async (t) => {
  const house = await createLogHouse(t);
  const config = { checkpointEveryLeaves: 20, retentionDays: 0, maxPendingAppends: 4096, maxBodyBytes: 65_536 };
  const audit = await house.open({ config });
  let growing = true;
  const growth = (async () => {
    for (let i = 0; growing; i += 16) await appendMany(audit, 16, i);
  })();
  // However slow the disk is: until full tiles have been verified while they were made.
  for (let round = 0; round < 12 || audit.treeHead().size <= 300; round++) {
    const verdict = await audit.verify({ anchors: [] });
    assert.deepEqual([verdict.integrity, verdict.completeness, verdict.findings], ['ok', 'unknown', []]);
    await audit.checkpoint();
  }
  growing = false;
  await growth;
  assert.ok(audit.treeHead().size > 300);
});

test('refuses a leaf that somebody without the body key appended while the node was down', async (t) => {
  const { house, verify } = await logAtRest(t, 3);
  const path = join(house.folder, 'bodies/000');
  const bytes = await readFile(path);
  const [{ leaf, sealed }] = parseBodyBundle(bytes, 0).entries as [StoredEntry];
  for (const forged of [undefined, sealed, new Uint8Array(80)]) {
    await writeFile(path, Buffer.concat([bytes, encodeGroup(3, [{ leaf, sealed: forged }])]));
    assert.equal((await verify()).integrity, 'violated');
    assert.match(JSON.stringify((await house.open()).readiness()), /body of audit entry 3/);
  }
});
