import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { context, createFixture, put, signal } from './store-fixture.ts';

const RECORDS = 200;

test('small records are read in few looks at the index, and each is counted', async (t) => {
  const f = await createFixture();
  t.after(() => f.close());
  await Promise.all(Array.from({ length: RECORDS }, () => put(f.store, randomBytes(500))));
  const looks = { get: 0, getMany: 0 };
  for (const name of ['get', 'getMany'] as const) {
    const original = ClassicLevel.prototype[name];
    t.mock.method(ClassicLevel.prototype, name, function (this: never, ...args: never[]) {
      looks[name] += 1;
      return (original as (...given: never[]) => unknown).apply(this, args);
    });
  }
  const told: { versions: number; total: number }[] = [];
  const report = await f.store.scrub((progress) => told.push(progress), signal);
  const { records, versions, blocks, bytes, findings, evidenceLeaves } = report;
  assert.deepEqual(
    [records, versions, blocks, bytes, findings, evidenceLeaves],
    [RECORDS, RECORDS, RECORDS, RECORDS * 500, [], RECORDS],
  );
  // One look for each read would be six times the records.
  assert.ok(looks.get + looks.getMany < RECORDS / 2, JSON.stringify(looks));
  assert.deepEqual(told.at(-1), { versions: RECORDS, total: RECORDS });
  assert.ok(told.every(({ versions: done }, i) => done > (told[i - 1]?.versions ?? 0)));
});

test('what is damaged among many is named, and the others are read', async (t) => {
  const f = await createFixture({ inlineMaxBytes: 1000 });
  t.after(() => f.close());
  await Promise.all([put(f.store, randomBytes(500)), put(f.store, randomBytes(3_000_000))]);
  await Promise.all(Array.from({ length: 80 }, (_, i) => put(f.store, randomBytes(i % 10 === 0 ? 2000 : 300))));
  const gone = await put(f.store, randomBytes(100));
  await f.store.shred(gone.recordId, context);
  f.audit.events.push({ ...f.audit.events[0], recordId: 'ab'.repeat(16), version: 1 } as never);
  const report = await f.store.scrub(() => undefined, signal);
  assert.deepEqual([report.records, report.versions], [82, 82]);
  assert.deepEqual(
    report.findings.map(({ code, recordId }) => [code, recordId]),
    [['STORE_RECORD_UNACCOUNTED', 'ab'.repeat(16)]],
  );
});
