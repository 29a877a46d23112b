import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { STORAGE_CLASSES } from '../../../../protocol/coding/storage-class.ts';
import { checkOffer, type Offer } from '../../../../protocol/storage/offer.ts';
import { createPlacementIndex, placementKey, placeShards } from '../../../../protocol/storage/placement.ts';
import { seededRandom } from '../../../../protocol/storage/seeded-random.ts';
import { afterAudit, NEW_STANDING, type Standing } from '../../../../protocol/storage/standing.ts';
import { named, offer, TIB } from './storage-fixture.ts';

const { small, standard } = STORAGE_CLASSES;
const vetted: Standing = { alpha: 20, beta: 0, passed: 1000 };
const secret = new Uint8Array(32).fill(7);
const keyOf = (segment: number | string) => placementKey(secret, named(`segment ${segment}`));
const request = (segment: number | string, count: number = standard.shards) => ({
  key: keyOf(segment),
  storageClass: standard,
  shardBytes: 2 ** 20,
  count,
  kept: [] as readonly Offer[],
});

test('puts at most one shard on an operator and on a site and n-k-1 on an AS, whatever is offered', () => {
  const offers = fc.array(
    fc.record({
      operator: fc.nat(15),
      site: fc.nat(25),
      as: fc.nat(4),
      freeBytes: fc.integer({ min: 0, max: 4 * 2 ** 20 }),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(offers, fc.string(), (list, segment) => {
      const all = list.map(({ operator, site, as, freeBytes }, i) =>
        offer(i, { operator: `${operator}`, site: `${site}`, as, freeBytes }),
      );
      const chosen = placeShards(
        createPlacementIndex(all, () => vetted),
        request(segment),
      ).map((i) => all[i] as Offer);
      assert.equal(new Set(chosen.map(({ operator }) => operator)).size, chosen.length);
      assert.equal(new Set(chosen.map(({ site }) => site)).size, chosen.length);
      for (const as of [0, 1, 2, 3, 4]) assert.ok(chosen.filter((one) => one.as === as).length <= 9);
      assert.ok(chosen.every(({ freeBytes }) => freeBytes >= 2 ** 20));
    }),
    { seed: 6, numRuns: 200 },
  );
});

test('counts the shards that a segment keeps: their operators, sites and systems get no more', () => {
  const all = Array.from({ length: 8 }, (_, i) => offer(i, { as: i < 6 ? 1 : i }));
  const index = createPlacementIndex(all, () => vetted);
  // 2/5 may have two shards in one AS.
  const kept = [all[0] as Offer];
  const chosen = placeShards(index, { ...request('kept', 4), storageClass: small, kept });
  assert.equal(chosen.length, 3);
  assert.ok(!chosen.includes(0));
  assert.equal(chosen.filter((i) => all[i]?.as === 1).length, 1);
});

test('says by a shorter list when the rules leave too few, and places none against them', () => {
  const all = Array.from({ length: 30 }, (_, i) => offer(i, { operator: `operator ${i % 7}` }));
  assert.equal(
    placeShards(
      createPlacementIndex(all, () => vetted),
      request('few'),
    ).length,
    7,
  );
  assert.deepEqual(
    placeShards(
      createPlacementIndex([], () => vetted),
      request('none'),
    ),
    [],
  );
});

test('an offer that comes or goes moves only the shards that it gets or had', () => {
  const all = Array.from({ length: 200 }, (_, i) => offer(i));
  const index = createPlacementIndex(all, () => vetted);
  for (let segment = 0; segment < 30; segment++) {
    const before = placeShards(index, request(segment));
    const gone = before[3] as number;
    const rest = all.filter((_, i) => i !== gone);
    const after = placeShards(
      createPlacementIndex(rest, () => vetted),
      request(segment),
    ).map((i) => all.indexOf(rest[i] as Offer));
    const stayed = before.filter((i) => i !== gone);
    assert.deepEqual(
      after.filter((i) => before.includes(i)),
      stayed,
    );
  }
});

test('depends on the secret: another owner, another choice', () => {
  const all = Array.from({ length: 200 }, (_, i) => offer(i));
  const index = createPlacementIndex(all, () => vetted);
  const other = placementKey(new Uint8Array(32), named('segment 1'));
  assert.notDeepEqual(placeShards(index, request(1)), placeShards(index, { ...request(1), key: other }));
  assert.deepEqual(placeShards(index, request(1)), placeShards(index, request(1)));
});

test('follows policy: countries, prices, egress, bandwidth, operators that are not wanted', () => {
  const all = Array.from({ length: 80 }, (_, i) =>
    offer(i, { country: i % 2 === 0 ? 'CH' : 'DE', price: 100 + i, egress: i, bandwidth: 1000 - i }),
  );
  const chosenBy = (policy: Parameters<typeof createPlacementIndex>[2]) =>
    placeShards(
      createPlacementIndex(all, () => vetted, policy),
      request('policy', 80),
    ).map((i) => all[i] as Offer);
  assert.ok(chosenBy({ countries: ['CH'] }).every(({ country }) => country === 'CH'));
  assert.equal(chosenBy({ countries: ['CH'] }).length, 40);
  assert.equal(chosenBy({ countries: [] }).length, 0);
  assert.equal(chosenBy({ maxPrice: 119 }).length, 20);
  assert.equal(chosenBy({ maxEgress: 9 }).length, 10);
  assert.equal(chosenBy({ minBandwidth: 996 }).length, 5);
  assert.equal(chosenBy({ exceptOperators: ['operator 1', 'operator 2'] }).length, 78);
});

test('gives all new holders together 5 %, all alike where all are new, and suspended ones nothing', () => {
  const all = Array.from({ length: 400 }, (_, i) => offer(i));
  const shares = (standingOf: (index: number) => Standing | undefined) => {
    const index = createPlacementIndex(all, (_, i) => standingOf(i));
    const got = all.map(() => 0);
    for (let segment = 0; segment < 400; segment++)
      for (const i of placeShards(index, request(segment, 5))) got[i] = (got[i] ?? 0) + 1;
    return got.slice(0, 200).reduce((sum, count) => sum + count, 0) / (400 * 5);
  };
  const fresh = shares((i) => (i < 200 ? undefined : vetted));
  assert.ok(fresh > 0.035 && fresh < 0.065, `${fresh}`);
  const alike = shares(() => undefined);
  assert.ok(alike > 0.45 && alike < 0.55, `${alike}`);
  let bad = vetted;
  for (let i = 0; i < 12; i++) bad = afterAudit(bad, 'silent');
  assert.equal(
    shares((i) => (i < 200 ? bad : vetted)),
    0,
  );
  // A few new ones among many get their natural part, not 5 %.
  const few = createPlacementIndex(all, (_, i) => (i === 0 ? NEW_STANDING : vetted));
  assert.equal(few.weights[0], few.weights[1]);
});

test('fills holders in proportion to what they offer: the 99th percentile has under twice the median', () => {
  const random = seededRandom('sizes');
  const all = Array.from({ length: 500 }, (_, i) =>
    offer(i, { freeBytes: Math.floor(TIB * (0.5 + 4 * random.unit())) }),
  );
  const index = createPlacementIndex(all, () => vetted);
  const got = all.map(() => 0);
  for (let segment = 0; segment < 1500; segment++)
    for (const i of placeShards(index, request(segment))) got[i] = (got[i] ?? 0) + 1;
  const fill = got.map((count, i) => count / (all[i]?.freeBytes ?? 1)).toSorted((a, b) => a - b);
  const ratio = (fill[495] as number) / (fill[250] as number);
  assert.ok(ratio < 2, `${ratio}`);
});

test('refuses offers whose numbers or names cannot be', () => {
  checkOffer(offer(1));
  const wrong: Partial<Offer>[] = [
    { holder: new Uint8Array(31) },
    { country: 'ch' },
    { operator: '' },
    { site: '' },
    { freeBytes: -1 },
    { price: Number.NaN },
    { egress: 0.5 },
    { bandwidth: Number.POSITIVE_INFINITY },
    { as: 2 ** 60 },
  ];
  for (const more of wrong)
    assert.throws(() => checkOffer(offer(1, more)), {
      code: 'CODING_INPUT_INVALID',
      message: new RegExp(`^${Object.keys(more)[0]}:`),
    });
});
