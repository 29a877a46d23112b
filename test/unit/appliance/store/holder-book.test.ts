import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHolderBook, type HolderEntry, proved, silent } from '../../../../appliance/store/holder-book.ts';
import type { IndexDb } from '../../../../appliance/store/index-db.ts';
import type { IndexKeys } from '../../../../appliance/store/index-keys.ts';
import type { Cid, PeerIdText } from '../../../../protocol/brand.ts';

const HOUR = 3_600_000;
const limits = { lateMs: HOUR, lostMs: 24 * HOUR };
const NOW = Date.UTC(2026, 10, 30);
const holder = 'peer-a' as PeerIdText;
const entry: HolderEntry = { holder, root: 'root' as Cid, state: 'good', faults: [], sweep: false };

function bookAt(now: number) {
  const db = { commit: async () => undefined } as unknown as IndexDb;
  const keys = { holder: () => new Uint8Array(1) } as unknown as IndexKeys;
  return createHolderBook({ db: () => db, keys }, { now: () => new Date(now), lateMs: limits.lateMs });
}

test('a proof counts for an hour, and not at all where a clock that was ahead dated it', async () => {
  for (const [at, counts] of [
    [NOW, true],
    [NOW - HOUR, true],
    [NOW - HOUR - 1, false],
    [NOW + 30_000, true],
    [NOW + 365 * 24 * HOUR, false],
  ] as const) {
    const book = bookAt(NOW);
    await book.set(proved(entry, at));
    assert.equal(book.counts(holder), counts, new Date(at).toISOString());
  }
});

test('a silence that a clock which was ahead dated begins today, and ends as any other', () => {
  const ahead = silent(proved(entry, NOW + 365 * 24 * HOUR), NOW + 365 * 24 * HOUR + 1, limits);
  let now = NOW;
  let told = silent(ahead, now, limits);
  assert.deepEqual([told.state, told.silentSince], ['good', NOW]);
  for (let hour = 0; hour < 24; hour += 1) {
    now += HOUR;
    told = silent(told, now, limits);
  }
  assert.deepEqual([told.state, told.sweep], ['lost', true]);
});
