import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessContext, Audit, AuditPage, AuditQuery } from '../../../../appliance/audit/index.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { auditFacts } from '../../../../protocol/merkle/audit-facts.ts';
import { appendMany, createLogHouse, reading } from './log-house.ts';

const auditor: AccessContext = { actor: { subject: 'auditor', tokenId: 'token-auditor' }, requestId: 'r' };
const RECORD = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';

/** Every page of a reading, as its reader gets them: newest page first, entries of a page in order. */
async function readAll(audit: Audit, query: AuditQuery): Promise<AuditPage[]> {
  const pages = [await audit.query(query, auditor)];
  for (let cursor = pages[0]?.cursor; cursor !== undefined; cursor = pages.at(-1)?.cursor)
    pages.push(await audit.query({ filter: {}, limit: query.limit, cursor }, auditor));
  return pages;
}

const indices = (pages: readonly AuditPage[]): number[] =>
  pages.toReversed().flatMap(({ entries }) => entries.map(({ index }) => index));

async function createBusyLog(t: Parameters<typeof createLogHouse>[0]) {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 300);
  const hits: number[] = [];
  for (const outcome of ['success', 'failure'] as const) {
    hits.push((await audit.append({ ...reading(1), recordId: RECORD, outcome })).index);
    await appendMany(audit, 300, 1000);
  }
  return { house, audit, hits };
}

test('finds who read a record, page by page from the end, and nothing else', async (t) => {
  const { audit, hits } = await createBusyLog(t);
  const pages = await readAll(audit, { filter: { record: RECORD.slice(0, 8) }, limit: 1 });
  assert.deepEqual(indices(pages), hits);
  const [entry] = pages[0]?.entries ?? [];
  assert.equal(auditFacts(entry?.body).record, RECORD);
  assert.equal(auditFacts(entry?.body).name, 'Dr. Canary');
});

test('logs a whole reading once, with what was asked and which leaves it covers', async (t) => {
  const { audit } = await createBusyLog(t);
  const { size } = audit.treeHead();
  const pages = await readAll(audit, { filter: { record: RECORD, outcome: 'failure' }, limit: 5 });
  assert.equal(indices(pages).length, 1);
  assert.equal(audit.treeHead().size, size + 1);
  const [leaf] = (await audit.query({ filter: { type: 'audit' }, limit: 1 }, auditor)).entries;
  assert.equal(leaf?.leaf.type, 'audit.read');
  assert.deepEqual(Object.fromEntries(auditFacts(leaf?.body).detail), {
    filter: `outcome=failure&record=${RECORD}`,
    from: '0',
    to: String(size),
  });
});

test('every page length gives every entry exactly once', async (t) => {
  const { audit } = await createBusyLog(t);
  const { size } = audit.treeHead();
  for (const limit of [1_000, 255, 256, 257, 97]) {
    const pages = await readAll(audit, { filter: {}, limit });
    assert.deepEqual(
      indices(pages).slice(0, size),
      Array.from({ length: size }, (_, i) => i),
      `pages of ${limit}`,
    );
  }
});

test('filters by actor, by family and type, by time, and by what left the node', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  const at = (i: number): string => new Date(Date.UTC(2026, 10, 23, 6 + i)).toISOString();
  const events = ['record.create', 'record.read', 'record.export', 'token.create'].map((type, i) => ({ type, i }));
  for (const { type, i } of events) {
    house.clock = Date.parse(at(i));
    const context = { actor: { subject: `s${i}`, tokenId: `t${i}`, name: `Dr. ${i}` }, requestId: 'r' };
    await audit.append({ type, outcome: 'success', context, ...(i < 3 && { recordId: RECORD }) });
  }
  const found = async (filter: AuditQuery['filter']): Promise<number[]> =>
    indices(await readAll(audit, { filter: { until: at(4), ...filter }, limit: 10 })).filter((index) => index < 4);
  house.clock = Date.parse(at(9));
  assert.deepEqual(await found({ type: 'record' }), [0, 1, 2]);
  assert.deepEqual(await found({ type: 'record.read' }), [1]);
  assert.deepEqual(await found({ disclosures: true }), [1, 2]);
  assert.deepEqual(await found({ actor: 's3' }), [3]);
  assert.deepEqual(await found({ actor: 't2' }), [2]);
  assert.deepEqual(await found({ actor: 'dr. 0' }), [0]);
  assert.deepEqual(await found({ since: at(1), until: at(3) }), [1, 2]);
  assert.deepEqual(await found({ record: RECORD, actor: 's1' }), [1]);
});

test('finds a patient by what the events name, and by records that bear the label today', async (t) => {
  const audit = await (await createLogHouse(t)).open();
  await audit.append({ ...reading(0), patients: ['4711'] });
  await audit.append({ ...reading(1), recordId: RECORD });
  await audit.append({ ...reading(2), patients: ['4712'] });
  const filter = { patient: '4711' };
  assert.deepEqual(indices(await readAll(audit, { filter, limit: 10 })), [0]);
  assert.deepEqual(indices(await readAll(audit, { filter, records: [RECORD], limit: 10 })), [0, 1]);
});

test('says how many leaves can no longer be judged, since their bodies are erased', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 300);
  await audit.erase(new Date(house.clock + 1_000), auditor);
  const pages = await readAll(audit, { filter: { record: RECORD }, limit: 7 });
  assert.equal(
    pages.reduce((sum, { undecided }) => sum + undecided, 0),
    256,
  );
  const byLeaf = await readAll(audit, { filter: { type: 'record' }, limit: 1_000 });
  assert.equal(indices(byLeaf).length, 300, 'a leaf alone decides a type');
});

test('follows the log forwards: what is appended later comes with the same reading', async (t) => {
  const audit = await (await createLogHouse(t)).open();
  await appendMany(audit, 3);
  const first = await audit.query({ filter: { type: 'record' }, limit: 2, after: 1 }, auditor);
  assert.deepEqual(indices([first]), [1, 2]);
  await appendMany(audit, 2);
  const { size } = audit.treeHead();
  const next = await audit.query({ filter: {}, limit: 9, cursor: first.cursor ?? '' }, auditor);
  assert.deepEqual(indices([next]), [4, 5]);
  assert.equal(audit.treeHead().size, size, 'going on is not logged again');
});

test('goes on only for the caller who began, and logs a reading anew after an hour', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 20);
  const { cursor = '' } = await audit.query({ filter: {}, limit: 5 }, auditor);
  const refused = (error: unknown) => isNectarError(error, 'AUDIT_CURSOR_INVALID');
  const thief = { ...auditor, actor: { subject: 'auditor', tokenId: 'another' } };
  await assert.rejects(audit.query({ filter: {}, limit: 5, cursor }, thief), refused);
  for (const wrong of ['', 'x', `${'0'.repeat(32)}.1`, cursor.replace(/\d+$/, '99999')])
    await assert.rejects(audit.query({ filter: {}, limit: 5, cursor: wrong }, auditor), refused);
  const { size } = audit.treeHead();
  house.clock += 60 * 60 * 1_000;
  await audit.query({ filter: {}, limit: 5, cursor }, auditor);
  assert.equal(audit.treeHead().size, size + 1);
});

test('one page looks at a bounded number of leaves, and stops when its caller leaves', async (t) => {
  const audit = await (await createLogHouse(t)).open();
  for (let i = 0; i < 36; i++) await appendMany(audit, 256);
  const page = await audit.query({ filter: { record: RECORD }, limit: 10 }, auditor);
  assert.equal(page.to - page.from, 32 * 256);
  assert.deepEqual([page.entries.length, page.cursor !== undefined], [0, true]);
  const gone = AbortSignal.abort(new Error('left'));
  await assert.rejects(audit.query({ filter: {}, limit: 10 }, auditor, gone), /left/);
});
