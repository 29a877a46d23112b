import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTermIndex, mayHoldOf } from '../../../../appliance/audit/bundle-terms.ts';
import type { AccessContext, Audit } from '../../../../appliance/audit/index.ts';
import type { AuditFacts } from '../../../../protocol/merkle/audit-facts.ts';
import type { AuditFilter } from '../../../../protocol/merkle/audit-filter.ts';
import { appendMany, createLogHouse, reading } from './log-house.ts';

const auditor: AccessContext = { actor: { subject: 'auditor', tokenId: 'token-auditor' }, requestId: 'r' };
const RECORD = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';
const facts = (more: Partial<AuditFacts>): AuditFacts => ({ patients: [], detail: new Map(), ...more });

async function find(audit: Audit, filter: AuditFilter, records?: readonly string[]): Promise<number[]> {
  const first = await audit.query({ filter, limit: 1000, ...(records && { records }) }, auditor);
  const pages = [first];
  for (let cursor = first.cursor; cursor !== undefined; cursor = pages.at(-1)?.cursor)
    pages.push(await audit.query({ filter: {}, limit: 1000, cursor }, auditor));
  return pages.toReversed().flatMap(({ entries }) => entries.map(({ index }) => index));
}

test('a bundle that holds what is meant is never left out, whatever it is asked by', () => {
  const index = createTermIndex();
  const ids = Array.from({ length: 256 }, (_, i) => (i * 0x9e3779b1).toString(16).padStart(32, 'a').slice(-32));
  const all = ids.map((record, i) =>
    facts({ record, subject: `s${i}`, tokenId: `t${i}`, name: `Dr. ${i}`, patients: [`p${i}`] }),
  );
  index.keep(0, all, index.turn());
  const terms = index.find(0);
  assert.ok(terms !== undefined);
  const may = (filter: AuditFilter, records?: string[]): boolean =>
    mayHoldOf(filter, records && new Set(records))(terms);
  for (const [i, id] of ids.entries()) {
    assert.ok(may({ record: id }) && may({ record: id.slice(0, 6) }) && may({ record: id.slice(0, 31) }));
    assert.ok(
      may({ actor: `s${i}` }) && may({ actor: `t${i}` }) && may({ actor: `dr. ${i}` }) && may({ patient: `p${i}` }),
    );
    assert.ok(may({ patient: 'nobody' }, ['f'.repeat(32), id]));
  }
  assert.ok(may({}));
  const strangers = Array.from({ length: 2_000 }, (_, i) =>
    (i * 0x85ebca6b + 7).toString(16).padStart(32, 'c').slice(-32),
  );
  const needless = strangers.filter((record) => may({ record })).length;
  assert.ok(needless < 200, `${needless} of 2000 are read for nothing`);
});

test('what was read before bodies were erased is not kept after', () => {
  const index = createTermIndex();
  const turn = index.turn();
  index.hold();
  assert.equal(index.keep(0, [facts({ record: RECORD })], index.turn()), false);
  index.release(0);
  assert.equal(index.keep(0, [facts({ record: RECORD })], turn), false);
  assert.equal(index.find(0), undefined);
});

test('a second search finds what the first found, by whatever it asks, and what came in between', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 600);
  await audit.append({ ...reading(1), recordId: RECORD });
  await appendMany(audit, 400, 2_000);
  const filters: AuditFilter[] = [
    { record: RECORD },
    { record: RECORD.slice(0, 7) },
    { record: reading(3).recordId ?? '' },
    { record: 'ffffff' },
    { actor: 'dr. canary', type: 'record.read' },
    { actor: 'nobody' },
    { patient: 'nobody' },
  ];
  const first = [];
  for (const filter of filters) first.push(await find(audit, filter));
  const again = [];
  for (const filter of filters) again.push(await find(audit, filter));
  assert.deepEqual(again, first);
  assert.deepEqual(
    first.map(({ length }) => length),
    [1, 1, 1, 0, 1001, 0, 0],
  );
  assert.deepEqual(await find(audit, { patient: 'nobody' }, [RECORD]), first[0]);
  const { index } = await audit.append({ ...reading(1), recordId: RECORD });
  await appendMany(audit, 300, 5_000);
  assert.deepEqual(await find(audit, { record: RECORD }), [...(first[0] ?? []), index]);
});

test('bundles that cannot hold it are not read again; those that can are checked against the tree as ever', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 300);
  const { index } = await audit.append({ ...reading(1), recordId: RECORD });
  await appendMany(audit, 300, 2_000);
  assert.deepEqual(await find(audit, { record: RECORD }), [index]);
  const path = join(house.folder, 'bodies/000');
  const bytes = readFileSync(path);
  bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  assert.deepEqual(await find(audit, { record: RECORD }), [index]);
  await assert.rejects(find(audit, { record: reading(7).recordId ?? '' }), { code: 'AUDIT_BUNDLE_INVALID' });
});

test('once bodies are erased it is said of their leaves that nobody can tell, also after a search that could', async (t) => {
  const house = await createLogHouse(t);
  const audit = await house.open();
  await appendMany(audit, 300);
  assert.equal((await find(audit, { record: reading(7).recordId ?? '' })).length, 1);
  house.clock += 1_000_000;
  await audit.erase(new Date(house.clock), auditor);
  const page = await audit.query({ filter: { record: reading(7).recordId ?? '' }, limit: 10 }, auditor);
  assert.equal(page.entries.length, 0);
  assert.ok(page.undecided >= 256, `${page.undecided}`);
});
