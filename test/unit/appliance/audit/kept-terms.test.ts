import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EVENTS } from '../../../../appliance/audit/balp-codes.ts';
import { termFactsOf } from '../../../../appliance/audit/bundle-terms.ts';
import { createDisk, type Disk } from '../../../../appliance/audit/disk.ts';
import { prepareEntry } from '../../../../appliance/audit/event.ts';
import type { AccessContext, Audit } from '../../../../appliance/audit/index.ts';
import { auditFacts } from '../../../../protocol/merkle/audit-facts.ts';
import type { AuditFilter } from '../../../../protocol/merkle/audit-filter.ts';
import { appendMany, createLogHouse, type LogHouse, reading } from './log-house.ts';

const auditor: AccessContext = { actor: { subject: 'auditor', tokenId: 'token-auditor' }, requestId: 'r' };
const recordOf = (i: number): string => reading(i).recordId ?? '';

/** A disk that counts the bundles that are read from it. */
function watched(folder: string): { disk: Disk; bundles: () => number } {
  const disk = createDisk(folder);
  const read = new Set<string>();
  return {
    bundles: () => read.size,
    disk: {
      ...disk,
      read(path) {
        if (path.startsWith('bodies/')) read.add(path);
        return disk.read(path);
      },
    },
  };
}

async function find(audit: Audit, filter: AuditFilter): Promise<{ found: number[]; undecided: number }> {
  const found: number[] = [];
  let undecided = 0;
  let page = await audit.query({ filter, limit: 1000 }, auditor);
  for (;;) {
    found.unshift(...page.entries.map(({ index }) => index));
    undecided += page.undecided;
    if (page.cursor === undefined) return { found, undecided };
    page = await audit.query({ filter: {}, limit: 1000, cursor: page.cursor }, auditor);
  }
}

/** The first search of another process, and how many bundles it read beside what the start did. */
async function firstSearch(house: LogHouse, filter: AuditFilter) {
  const { disk, bundles } = watched(house.folder);
  const audit = await house.open({}, { disk });
  const started = bundles();
  const answer = await find(audit, filter);
  const read = bundles() - started;
  await audit.stop();
  return { ...answer, read };
}

async function filled(t: Parameters<typeof createLogHouse>[0], leaves: number): Promise<LogHouse> {
  const house = await createLogHouse(t);
  const audit = await house.open();
  for (let from = 0; from < leaves; from += 1_000) await appendMany(audit, Math.min(1_000, leaves - from), from);
  await audit.stop();
  return house;
}

test('the first search after a start reads what can hold it, and no other bundle', async (t) => {
  const house = await filled(t, 3_000);
  const { found, read } = await firstSearch(house, { record: recordOf(700) });
  assert.equal(found.length, 1);
  assert.ok(read <= 3, `${read} of 11 bundles were read`);
});

test('what a crash left unsaved is read once more, and kept by the search that read it', async (t) => {
  const house = await createLogHouse(t);
  const disk = createDisk(house.folder);
  const killed: Disk = {
    ...disk,
    // As if the process had ended before any of them was written.
    replace: (files) => disk.replace(files.filter(({ path }) => !path.startsWith('terms/'))),
  };
  const first = await house.open({}, { disk: killed });
  await appendMany(first, 2_000);
  await first.stop();
  assert.equal((await firstSearch(house, { record: recordOf(5) })).found.length, 1);
  const again = await firstSearch(house, { record: recordOf(5) });
  assert.equal(again.found.length, 1);
  assert.ok(again.read <= 2, `${again.read}`);
});

test('terms that are older, altered, missing, cut off, of another place or of another log hide nothing', async (t) => {
  const house = await filled(t, 800);
  const path = join(house.folder, 'terms', '000000');
  const older = await readFile(path);
  const audit = await house.open();
  await appendMany(audit, 1_000, 800);
  await audit.stop();
  const newest = await readFile(path);
  const flipped = Buffer.from(newest);
  flipped[newest.length >> 1] = (flipped[newest.length >> 1] ?? 0) ^ 1;
  const other = await filled(t, 1_803);
  const cases: [string, Buffer | undefined][] = [
    ['older', older],
    ['altered', flipped],
    ['missing', undefined],
    ['cut off', newest.subarray(0, 700)],
    ['empty', Buffer.alloc(0)],
    ['of another log under the same keys', await readFile(join(other.folder, 'terms', '000000'))],
  ];
  for (const [name, bytes] of cases) {
    if (bytes === undefined) await rm(path);
    else await writeFile(path, bytes);
    for (const wanted of [3, 799, 900, 1_790])
      assert.equal((await firstSearch(house, { record: recordOf(wanted) })).found.length, 1, `${name} ${wanted}`);
    const { read } = await firstSearch(house, { record: recordOf(40) });
    assert.ok(read <= 3, `${name}: the search before has made it whole, and ${read} were read`);
  }
  await writeFile(join(house.folder, 'terms', '000001'), newest);
  assert.equal((await firstSearch(house, { record: recordOf(1_200) })).found.length, 1, 'moved');
});

test('terms that are changed under a running node hide nothing, and the next start is right', async (t) => {
  const house = await filled(t, 1_100);
  const path = join(house.folder, 'terms', '000000');
  const older = await readFile(path);
  const audit = await house.open();
  await appendMany(audit, 700, 1_100);
  await audit.stop();
  const newest = await readFile(path);
  const flipped = Buffer.from(newest);
  flipped[newest.length >> 1] = (flipped[newest.length >> 1] ?? 0) ^ 1;
  for (const [name, bytes] of [
    ['older', older],
    ['altered', flipped],
    ['missing', undefined],
  ] as const) {
    const running = await house.open();
    await (bytes === undefined ? rm(path) : writeFile(path, bytes));
    for (const wanted of [3, 1_099, 1_500])
      assert.equal((await find(running, { record: recordOf(wanted) })).found.length, 1, `${name} ${wanted}`);
    await running.stop();
    assert.equal((await firstSearch(house, { record: recordOf(1_500) })).found.length, 1, `${name}, after a start`);
  }
});

test('after an erasure nothing is told of what was erased, even by terms of before that are put back', async (t) => {
  const house = await filled(t, 1_000);
  const path = join(house.folder, 'terms', '000000');
  const before = await readFile(path);
  house.clock += 1_000_000;
  const cut = new Date(house.clock);
  const audit = await house.open();
  await appendMany(audit, 1_000, 1_000);
  await audit.erase(cut, auditor);
  await audit.stop();
  for (const bytes of [undefined, before]) {
    if (bytes !== undefined) await writeFile(path, bytes);
    const { found, undecided } = await firstSearch(house, { record: recordOf(7) });
    assert.deepEqual([found, undecided], [[], 768]);
  }
  const kept = await firstSearch(house, { record: recordOf(1_500) });
  assert.equal(kept.found.length, 1);
  const names = await readdir(join(house.folder, 'terms'));
  assert.deepEqual(names, ['000000']);
});

test('an erasure leaves the terms of the bundles that it did not touch', async (t) => {
  const house = await filled(t, 600);
  house.clock += 1_000_000;
  const cut = new Date(house.clock);
  const audit = await house.open();
  await appendMany(audit, 2_000, 1_000);
  await audit.erase(cut, auditor);
  await audit.stop();
  const { undecided, read } = await firstSearch(house, { record: recordOf(2_500) });
  assert.equal(undecided, 512);
  assert.ok(read <= 6, `${read} of 10 bundles were read`);
});

test('an event is known by what its body says of it, of whatever type it is', () => {
  const odd = ['Dr. \ud800 X', 'Jane "Q"', 'ä\u2028'];
  for (const [i, type] of Object.keys(EVENTS).entries()) {
    const event = { ...reading(i, type), detail: { note: odd[i % 3] ?? '', patients: 'p1' } };
    const named = { ...event, context: { ...event.context, actor: { subject: odd[i % 3] ?? '', name: odd[1] ?? '' } } };
    for (const each of [event, named]) {
      const deps = { origin: 'o', maxBodyBytes: 65_536, time: 0, randomBytes: (n: number) => new Uint8Array(n) };
      const { body } = prepareEntry(each, deps);
      const { subject, tokenId, name, record, patients } = auditFacts(JSON.parse(Buffer.from(body).toString()));
      const facts = termFactsOf(each);
      assert.deepEqual(
        [facts.subject, facts.name, facts.record, facts.patients],
        [subject, name, record, patients],
        type,
      );
      // A token that is named as its subject is no second name of it.
      if (tokenId !== undefined) assert.equal(facts.tokenId, tokenId, type);
    }
  }
});
