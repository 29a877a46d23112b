import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createKeepMembership } from '../../../../appliance/membership/index.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import { NectarError } from '../../../../protocol/errors.ts';
import { APPEAL_WINDOW_S, DRAIN_PERIOD_S, GRACE_PERIOD_S } from '../../../../protocol/network/due-process.ts';

const DAY_MS = 86_400_000;

function stand() {
  const lines: string[] = [];
  const fixture = {
    now: Date.parse('2027-01-01T00:00:00.000Z'),
    addresses: ['/ip4/192.0.2.1/tcp/1'],
    registered: ['/ip4/192.0.2.1/tcp/1'],
    current: true,
    fails: false,
    validUntil: '2027-03-01T00:00:00.000Z' as string | undefined,
    sent: 0,
    lines,
    metrics: createMetrics(),
  };
  const keep = createKeepMembership({
    membership: {
      standing: async () => ({
        status: 'active',
        ...(fixture.validUntil !== undefined && { validUntil: fixture.validUntil }),
      }),
      async keepAddresses() {
        if (fixture.fails) throw new NectarError('ROLLUP_ACCOUNT_FUNDS', {} as never);
        if (fixture.addresses.join() === fixture.registered.join()) return undefined;
        fixture.sent += 1;
        fixture.registered = fixture.addresses;
        return '0xabcd';
      },
    },
    isCurrent: () => fixture.current,
    addresses: () => fixture.addresses,
    log: createLogger({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
    metrics: fixture.metrics,
    now: () => fixture.now,
  });
  return { fixture, keep };
}

test('an address that changed is written once it stood at two looks, without another join', async () => {
  const { fixture, keep } = stand();
  await keep.look();
  fixture.addresses = ['/ip4/192.0.2.7/tcp/1'];
  await keep.look();
  assert.equal(fixture.sent, 0, 'at the first look it may be half of a change');
  await keep.look();
  assert.equal(fixture.sent, 1);
  fixture.addresses = ['/ip4/192.0.2.8/tcp/1'];
  for (let look = 0; look < 5; look += 1) await keep.look();
  assert.equal(fixture.sent, 1, 'an interface that flaps does not write to the chain each time');
  fixture.now += 6 * 60_000;
  await keep.look();
  assert.equal(fixture.sent, 2);
});

test('nothing is written while the registry is an old one, nor without addresses; a failure waits', async () => {
  const { fixture, keep } = stand();
  fixture.addresses = ['/ip4/192.0.2.7/tcp/1'];
  fixture.current = false;
  for (let look = 0; look < 3; look += 1) await keep.look();
  assert.equal(fixture.sent, 0);
  fixture.current = true;
  const moved = fixture.addresses;
  fixture.addresses = [];
  for (let look = 0; look < 3; look += 1) await keep.look();
  assert.equal(fixture.sent, 0);
  fixture.addresses = moved;
  fixture.fails = true;
  for (let look = 0; look < 3; look += 1) await keep.look();
  fixture.fails = false;
  await keep.look();
  assert.equal(fixture.sent, 0);
  fixture.now += 6 * 60_000;
  await keep.look();
  assert.equal(fixture.sent, 1);
});

test('counts the end of the attestation, and tells it 30, 7 and 1 days before, once each', async () => {
  const { fixture, keep } = stand();
  const told = (): number =>
    fixture.lines.filter((line) => line.includes('the attestation of this node ends soon')).length;
  await keep.look();
  assert.match(await fixture.metrics.metrics(), /nectar_membership_attestation_end_seconds 1803859200/);
  assert.equal(told(), 0);
  const end = Date.parse(fixture.validUntil ?? '');
  const counts: number[] = [];
  for (const days of [29, 8, 6, 2, 0.5, -1]) {
    fixture.now = end - days * DAY_MS;
    await keep.look();
    await keep.look();
    counts.push(told());
  }
  assert.deepEqual(counts, [1, 1, 2, 2, 3, 3]);
  fixture.validUntil = undefined;
  await keep.look();
  assert.match(await fixture.metrics.metrics(), /nectar_membership_attestation_end_seconds 0/);
});

test('the periods are those of the contract', () => {
  const source = ['NodeEntries', 'DueProcess']
    .map((name) => readFileSync(`contracts/src/l2/${name}.sol`, 'utf8'))
    .join();
  const days = (name: string): bigint =>
    BigInt(source.match(new RegExp(`${name} = ([0-9]+) days`))?.[1] ?? 0) * 86_400n;
  assert.equal(days('GRACE_PERIOD'), GRACE_PERIOD_S);
  assert.equal(days('DRAIN_PERIOD'), DRAIN_PERIOD_S);
  assert.equal(days('APPEAL_WINDOW'), APPEAL_WINDOW_S);
});
