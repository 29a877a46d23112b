import assert from 'node:assert/strict';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { encodeGroup, parseBodyBundle } from '../../../../appliance/audit/body-bundle.ts';
import { type Audit, markRestored, verifyAuditFolder, type WitnessedHead } from '../../../../appliance/audit/index.ts';
import { type ErrorCode, isNectarError } from '../../../../protocol/errors.ts';
import { verifyAuditProof } from '../../../../protocol/merkle/audit-proof.ts';
import { encodeVerifierKey, SIGNATURE_TYPE } from '../../../../protocol/merkle/verifier-key.ts';
import { appendMany, createLogHouse, type LogHouse, ORIGIN, PATIENT, reading, SEED } from './log-house.ts';

const CONTEXT = { actor: { subject: 'Dana-Admin' }, requestId: 'r1' };
const VKEY = encodeVerifierKey({
  name: ORIGIN,
  type: SIGNATURE_TYPE.ed25519,
  publicKey: ed25519.getPublicKey(SEED),
});

/** A head as the anchor tells it. */
function head(audit: Audit, house: LogHouse, where = 'AuditAnchor, L2 block 7'): WitnessedHead {
  return { ...audit.treeHead(), where, at: house.clock };
}

const rejects = (work: Promise<unknown>, code: ErrorCode): Promise<void> =>
  assert.rejects(work, (error) => isNectarError(error, code));

/** A log of 40 leaves whose folder was put back to 25 of them; the head of all 40 left the machine. */
async function rolledBack(
  t: TestContext,
  leaves = 40,
): Promise<{ house: LogHouse; anchored: WitnessedHead; newer: string }> {
  const house = await createLogHouse(t);
  const [older, newer] = [`${house.folder}-older`, `${house.folder}-newer`];
  let audit = await house.open();
  await appendMany(audit, 25);
  await audit.stop();
  await cp(house.folder, older, { recursive: true });
  audit = await house.open();
  await appendMany(audit, leaves - 25, 25);
  const anchored = head(audit, house);
  await audit.stop();
  await cp(house.folder, newer, { recursive: true });
  await rm(house.folder, { recursive: true });
  await cp(older, house.folder, { recursive: true });
  return { house, anchored, newer };
}

async function isBarred(audit: Audit, code: 'AUDIT_TRUNCATED' | 'AUDIT_FORKED'): Promise<void> {
  const readiness = audit.readiness();
  assert.ok(!readiness.ready && readiness.reason.startsWith(code), JSON.stringify(readiness));
  await rejects(audit.append(reading(1)), code);
  await rejects(audit.checkpoint(), code);
  await rejects(audit.query({ filter: {}, limit: 1 }, CONTEXT), code);
  await rejects(audit.prove(0), code);
  assert.throws(
    () => audit.treeHead(),
    (error) => isNectarError(error, code),
  );
  assert.equal(audit.standing().conflict?.code, code);
  const verdict = await audit.verify({ anchors: [] });
  assert.ok(verdict.findings.some((finding) => finding.code === code));
}

test('a log put back to an older copy is barred as soon as a head that left is told, and over restarts', async (t) => {
  const { house, anchored } = await rolledBack(t);
  const audit = await house.open();
  assert.equal(audit.readiness().ready, true, 'nobody has told it anything yet');
  await rejects(audit.witnessed(anchored), 'AUDIT_TRUNCATED');
  await isBarred(audit, 'AUDIT_TRUNCATED');
  const before = await filesOf(house.folder);
  await audit.stop();
  assert.deepEqual(await filesOf(house.folder), before, 'nothing is signed, not at the end either');
  await isBarred(await house.open(), 'AUDIT_TRUNCATED');
});

test('a log that has outgrown the head is compared with it by root, at its own size', async (t) => {
  const { house, anchored } = await rolledBack(t);
  const audit = await house.open();
  await appendMany(audit, 300, 1000);
  assert.ok(audit.treeHead().size > anchored.size);
  await rejects(audit.witnessed(anchored), 'AUDIT_FORKED');
  await isBarred(audit, 'AUDIT_FORKED');
});

test('another root at the same size is a fork', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 20);
  const right = head(audit, house);
  await audit.witnessed(right);
  await audit.witnessed({ ...right, where: 'a witness' });
  const wrong = { ...right, root: 'ab'.repeat(32) as typeof right.root };
  await rejects(audit.witnessed(wrong), 'AUDIT_FORKED');
  await isBarred(audit, 'AUDIT_FORKED');
});

test('heads of every size that the log ever had are held, across bundles', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  const heads: WitnessedHead[] = [head(audit, house)];
  for (let i = 0; i < 12; i++) {
    await appendMany(audit, 47, i * 47);
    heads.push(head(audit, house));
  }
  for (const each of heads) await audit.witnessed(each);
  assert.equal(audit.readiness().ready, true);
  assert.equal(audit.standing().external?.size, 12 * 47);
});

test('a head kept elsewhere bars the log at its start, before the chain says anything', async (t) => {
  const { house, newer } = await rolledBack(t);
  const note = await readFile(join(newer, 'checkpoint'), 'utf8');
  const kept = { note, where: 'AuditAnchor, L2 block 7', at: house.clock };
  await isBarred(await house.open({ keptOutside: async () => [kept] }), 'AUDIT_TRUNCATED');
});

test('a kept head that the log did not sign says nothing', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 3);
  await audit.stop();
  const note = await readFile(join(house.folder, 'checkpoint'), 'utf8');
  const kept = { note: note.replace('\n3\n', '\n9\n'), where: 'a file', at: 0 };
  assert.equal((await house.open({ keptOutside: async () => [kept] })).readiness().ready, true);
});

test('a head told before the start is held against the log at the start', async (t) => {
  const { house, anchored } = await rolledBack(t);
  const audit = house.create();
  await audit.witnessed(anchored);
  await audit.start(new AbortController().signal);
  await isBarred(audit, 'AUDIT_TRUNCATED');
});

test('the right folder put back is enough', async (t) => {
  const { house, anchored, newer } = await rolledBack(t);
  const audit = await house.open();
  await rejects(audit.witnessed(anchored), 'AUDIT_TRUNCATED');
  await audit.stop();
  await rm(house.folder, { recursive: true });
  await cp(newer, house.folder, { recursive: true });
  const again = await house.open();
  await again.witnessed(anchored);
  assert.equal(again.readiness().ready, true);
  await again.append(reading(77));
});

test('resolve declares the gap, and the log goes on as an epoch that anybody can verify', async (t) => {
  const { house, anchored } = await rolledBack(t);
  const audit = await house.open();
  await rejects(audit.resolve({ context: CONTEXT }), 'AUDIT_NOTHING_TO_RESOLVE');
  await rejects(audit.witnessed(anchored), 'AUDIT_TRUNCATED');
  const epoch = await audit.resolve({ context: CONTEXT });
  assert.deepEqual([epoch.number, epoch.start, epoch.cause, epoch.outside?.size], [2, 25, 'resolve', 40]);
  assert.equal(audit.readiness().ready, true);
  assert.ok(
    audit.treeHead().size > anchored.size,
    'no lost number is given away again, and it can be anchored at once',
  );
  await appendMany(audit, 30, 500);
  const checkpoint = await audit.checkpoint();
  assert.match(checkpoint.origin, new RegExp(`^${ORIGIN}/epoch/2/25/[0-9a-f]{16}$`));

  const verdict = await audit.verify({ anchors: [anchored] });
  assert.deepEqual([verdict.integrity, verdict.completeness], ['ok', 'unknown']);
  assert.deepEqual(codes(verdict), ['AUDIT_GAP_DECLARED']);
  const own = await audit.verify({ anchors: [anchored, head(audit, house)] });
  assert.deepEqual([own.integrity, own.completeness], ['ok', 'ok']);
  for (const index of [3, 25, 60]) {
    const shown = verifyAuditProof(await audit.prove(index, index === 25 ? CONTEXT : undefined), VKEY);
    assert.deepEqual(shown.epoch, { number: 2, start: 25 });
    if (index === 25) assert.match(shown.body ?? '', new RegExp(`"valueString":"${anchored.root}"`));
    assert.ok(!shown.body?.includes('Dana'), 'what is shown to everybody names nobody');
  }
  assert.ok(
    JSON.stringify(await audit.query({ filter: {}, limit: 100 }, CONTEXT)).includes('Dana-Admin'),
    'who resolved it is on record',
  );
  await audit.stop();
  const again = await house.open();
  assert.deepEqual(again.standing().epochs, [epoch]);
  await again.witnessed(anchored);
  assert.equal(again.readiness().ready, true);
});

test('after an epoch, whatever is cut off or rewritten is found out exactly as before', async (t) => {
  const { house, anchored } = await rolledBack(t);
  let audit = await house.open();
  await rejects(audit.witnessed(anchored), 'AUDIT_TRUNCATED');
  await audit.resolve({ context: CONTEXT });
  await audit.stop();
  await cp(house.folder, `${house.folder}-2`, { recursive: true });
  audit = await house.open();
  await appendMany(audit, 50, 700);
  const later = head(audit, house);
  await audit.witnessed(later);
  await audit.stop();
  await rm(house.folder, { recursive: true });
  await cp(`${house.folder}-2`, house.folder, { recursive: true });
  audit = await house.open();
  await rejects(audit.witnessed(later), 'AUDIT_TRUNCATED');
  await isBarred(audit, 'AUDIT_TRUNCATED');
  const third = await audit.resolve({ context: CONTEXT });
  assert.equal(third.number, 3);
  await audit.stop();
  audit = await house.open();
  assert.deepEqual(
    audit.standing().epochs.map(({ number }) => number),
    [2, 3],
  );
  const path = join(house.folder, 'bodies/000');
  const bytes = await readFile(path);
  await audit.stop();
  const options = { folder: house.folder, vkey: VKEY, bodyKey: house.bodyKey, anchors: [anchored, later] };
  assert.deepEqual(codes(await verifyAuditFolder(options)), ['AUDIT_GAP_DECLARED', 'AUDIT_GAP_DECLARED']);
  for (let at = 100; at < bytes.length; at += 4001) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await writeFile(path, changed);
    assert.equal((await verifyAuditFolder(options)).integrity, 'violated', `byte ${at}`);
  }
});

test('a head that contradicts what an epoch does not declare lost is a fork', async (t) => {
  const { house, anchored } = await rolledBack(t);
  const audit = await house.open();
  const held = head(audit, house);
  await audit.witnessed(held);
  await rejects(audit.witnessed(anchored), 'AUDIT_TRUNCATED');
  await audit.resolve({ context: CONTEXT });
  const before = { ...held, size: 20, root: 'ab'.repeat(32) as typeof held.root };
  await rejects(audit.witnessed(before), 'AUDIT_FORKED');
});

test('a restored log begins an epoch by itself, of which the chain tells the gap later', async (t) => {
  const { house, anchored } = await rolledBack(t);
  await markRestored(house.folder, house.bodyKey, house.clock++);
  const audit = await house.open();
  assert.equal(audit.readiness().ready, true);
  const [epoch] = audit.standing().epochs;
  assert.deepEqual([epoch?.cause, epoch?.start, epoch?.from, epoch?.lost], ['restore', 25, 25, undefined]);
  await appendMany(audit, 4, 900);
  await audit.witnessed({ ...anchored, provisional: true });
  assert.equal(audit.standing().epochs[0]?.lost, undefined, 'a newer one may follow');
  await audit.witnessed(anchored);
  assert.deepEqual([audit.standing().epochs[0]?.lost, audit.standing().epochs[0]?.outside?.size], [15, 40]);
  assert.ok(audit.treeHead().size >= 40);
  const size = audit.treeHead().size;
  await audit.witnessed(anchored);
  assert.equal(audit.treeHead().size, size, 'told once more, it changes nothing');
  await audit.stop();
  const again = await house.open();
  assert.deepEqual(
    again.standing().epochs.map(({ lost }) => lost),
    [15],
  );
  assert.deepEqual(codes(await again.verify({ anchors: [anchored] })), ['AUDIT_GAP_DECLARED']);
  const later = { ...anchored, size: 60, root: 'ab'.repeat(32) as typeof anchored.root, at: house.clock };
  await rejects(again.witnessed(later), 'AUDIT_TRUNCATED');
});

test('a restore of the newest backup declares an epoch that lost nothing', async (t) => {
  const house = await createLogHouse(t);
  const first = await house.open();
  await appendMany(first, 30);
  const anchored = head(first, house);
  await first.stop();
  await markRestored(house.folder, house.bodyKey, house.clock++);
  const audit = await house.open();
  await audit.witnessed(anchored);
  assert.deepEqual(
    audit.standing().epochs.map(({ start, lost }) => [start, lost]),
    [[30, 0]],
  );
  assert.equal((await audit.verify({ anchors: [anchored] })).completeness, 'ok');
});

test('two restores of one backup are two epochs of different names', async (t) => {
  const { house, newer } = await rolledBack(t);
  const names: string[] = [];
  for (let i = 0; i < 2; i++) {
    await rm(house.folder, { recursive: true });
    await cp(newer, house.folder, { recursive: true });
    await markRestored(house.folder, house.bodyKey, house.clock++);
    const audit = await house.open();
    names.push((await audit.checkpoint()).origin);
    await audit.stop();
  }
  assert.notEqual(names[0], names[1]);
});

test('a crash right after the leaf of an epoch leaves that epoch begun', async (t) => {
  const { house } = await rolledBack(t);
  const signed = await readFile(join(house.folder, 'checkpoint'));
  await markRestored(house.folder, house.bodyKey, house.clock++);
  const mark = await readFile(join(house.folder, 'restored'));
  const first = await house.open();
  await appendMany(first, 3, 900);
  const { epochs } = first.standing();
  await first.stop();
  await writeFile(join(house.folder, 'checkpoint'), signed);
  await writeFile(join(house.folder, 'restored'), mark);
  await rm(join(house.folder, 'external'), { force: true });
  const again = await house.open();
  assert.deepEqual(again.standing().epochs, epochs);
  assert.match((await again.checkpoint()).origin, /\/epoch\/2\/25\//);
});

test('a leaf of a lost stretch, put behind the signed ones, is refused', async (t) => {
  const { house, newer } = await rolledBack(t);
  await markRestored(house.folder, house.bodyKey, house.clock++);
  await (await house.open()).stop();
  const own = await readFile(join(house.folder, 'bodies/000'));
  const lost = parseBodyBundle(await readFile(join(newer, 'bodies/000')), 0).entries;
  const [entry] = lost.slice(26, 27);
  assert.ok(entry !== undefined);
  await writeFile(join(house.folder, 'bodies/000'), Buffer.concat([own, encodeGroup(26, [entry])]));
  const readiness = (await house.open()).readiness();
  assert.match(readiness.ready ? '' : readiness.reason, /does not authenticate/);
});

test('declarations keep their bodies when bodies are erased', async (t) => {
  const { house, anchored } = await rolledBack(t);
  const audit = await house.open();
  await rejects(audit.witnessed(anchored), 'AUDIT_TRUNCATED');
  await audit.resolve({ context: CONTEXT });
  await appendMany(audit, 600, 900);
  assert.ok((await audit.erase(new Date(house.clock + 1), CONTEXT)).erased > 250);
  const verdict = await audit.verify({ anchors: [anchored] });
  assert.deepEqual([verdict.integrity, codes(verdict)], ['ok', ['AUDIT_GAP_DECLARED']]);
  await rm(join(house.folder, 'external'));
  await audit.stop();
  assert.equal((await house.open()).standing().epochs[0]?.outside?.size, 40);
});

test('leaves dated in the future are said, and bar nothing', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  house.clock += 3_600_000;
  await appendMany(audit, 2);
  house.clock -= 3_600_000;
  const verdict = await audit.verify({ anchors: [] });
  assert.deepEqual([verdict.integrity, codes(verdict)], ['ok', ['AUDIT_FROM_FUTURE']]);
  assert.equal(verdict.findings[0]?.leaves, 2);
});

type State = 'older copy' | 'one byte changed' | 'missing' | 'newer than the log';

/** What a start says of each file in each state, when the newest head has left: nothing is ever passed over. */
const EXPECTED: Record<string, Record<State, RegExp>> = {
  checkpoint: {
    'older copy': /^ready$/, // the leaves behind it are shown to be ours by their seals, and their head by the one that left
    'one byte changed': /damaged/,
    missing: /damaged/,
    'newer than the log': /damaged.*vouches for/,
  },
  'bodies/000': {
    'older copy': /ready|damaged/,
    'one byte changed': /ready|damaged/, // a full bundle is read when it is asked for: verify finds it
    missing: /ready|damaged/,
    'newer than the log': /ready|damaged/,
  },
  'bodies/001': {
    'older copy': /damaged.*the checkpoint vouches for/,
    'one byte changed': /damaged/,
    missing: /damaged/,
    'newer than the log': /AUDIT_FORKED|AUDIT_TRUNCATED|ready/,
  },
  'tile/0/000': {
    'older copy': /damaged|ready/,
    'one byte changed': /damaged|AUDIT/,
    missing: /damaged/,
    'newer than the log': /ready|damaged/,
  },
  external: {
    'older copy': /^ready$/, // what is known outside is told again
    'one byte changed': /damaged.*external/,
    missing: /^ready$/,
    'newer than the log': /AUDIT_TRUNCATED/,
  },
  restored: {
    'older copy': /^ready$/,
    'one byte changed': /damaged.*restored/,
    missing: /^ready$/,
    'newer than the log': /^ready$/,
  },
};

test('each file of the log, older, changed, missing or newer, is found out by the start or by a verification', async (t) => {
  const house = await createLogHouse(t);
  const at = (name: string): string => `${house.folder}-${name}`;
  const grow = async (to: string, count: number): Promise<WitnessedHead> => {
    const audit = await house.open();
    await appendMany(audit, count, house.clock);
    const left = head(audit, house);
    await audit.witnessed(left);
    await audit.stop();
    await markRestored(`${house.folder}-marks`, house.bodyKey, house.clock++);
    await cp(house.folder, at(to), { recursive: true });
    await cp(`${house.folder}-marks/restored`, join(at(to), 'restored'));
    return left;
  };
  await grow('older', 100);
  const left = await grow('now', 200);
  await grow('newer', 100);
  for (const [file, states] of Object.entries(EXPECTED)) {
    for (const [state, expected] of Object.entries(states) as [State, RegExp][]) {
      await rm(house.folder, { recursive: true });
      await cp(at('now'), house.folder, { recursive: true });
      if (file !== 'restored') await rm(join(house.folder, 'restored'));
      await change(house.folder, file, { state, older: at('older'), newer: at('newer') });
      const audit = await house.open();
      await audit.witnessed(left).catch(() => undefined);
      const readiness = audit.readiness();
      const said = readiness.ready ? 'ready' : readiness.reason;
      assert.match(said, expected, `${file}, ${state}`);
      const isWhole = ['restored', 'external'].includes(file) || (file === 'checkpoint' && state === 'older copy');
      const verdict = await audit.verify({ anchors: [left] });
      const isFound = verdict.integrity === 'violated' || verdict.completeness === 'violated' || said !== 'ready';
      if (!isWhole && state !== 'newer than the log') assert.ok(isFound, `${file}, ${state}: ${codes(verdict)}`);
      await audit.stop();
    }
  }
});

async function change(folder: string, file: string, to: { state: State; older: string; newer: string }): Promise<void> {
  const path = join(folder, file);
  const { state, older, newer } = to;
  if (state === 'missing') return rm(path, { force: true });
  if (state === 'one byte changed') {
    const bytes = await readFile(path);
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    return writeFile(path, bytes);
  }
  const source = join(state === 'older copy' ? older : newer, file);
  // The older log had no second bundle and no full tile yet: what it had in their place.
  const bytes = await readFile(source).catch(() => Buffer.alloc(0));
  return writeFile(path, bytes);
}

function codes(verdict: { findings: readonly { code: string }[] }): string[] {
  return verdict.findings.map(({ code }) => code);
}

async function filesOf(folder: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files[path] = (await readFile(path)).toString('hex');
  }
  return files;
}

test('no name of a person is in the file of known heads', async (t) => {
  const { house, anchored } = await rolledBack(t);
  const audit = await house.open();
  await rejects(audit.witnessed(anchored), 'AUDIT_TRUNCATED');
  await audit.resolve({ context: CONTEXT });
  await audit.stop();
  const text = await readFile(join(house.folder, 'external'), 'utf8');
  assert.ok(!text.includes(PATIENT) && !text.includes('Dana'));
});
