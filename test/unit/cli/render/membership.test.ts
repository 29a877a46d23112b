import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradeMembership } from '../../../../cli/commands/doctor.ts';
import { describeStanding, gradeStanding, lapseOf, membershipLines } from '../../../../cli/render/membership.ts';

const NOW = Date.parse('2027-01-01T00:00:00.000Z');
const DAY = 86_400_000;
const at = (days: number): string => new Date(NOW + days * DAY).toISOString();
const member = (days: number, status = 'active') => ({ status, validUntil: at(days), endsAt: at(days + 7) });
const style = (colour: string, text: string): string => `<${colour}>${text}`;
const NODE = {
  ...{ ready: true, reasons: [], locked: false, nodeId: 'aa', peerId: 'pp', network: 'devnet', version: '1' },
  ...{ uptimeSeconds: 1, roles: ['rollup'], l2: null, peers: null, records: null, audit: null, anchored: null },
};
const INFO = {
  ...{ network: 'devnet', l1ChainId: 1, l2ChainId: 2, genesisHash: '0x00', peerId: 'pp', addresses: [] },
};

test('the end of an attestation is told 30, 7 and 1 days before, and until the membership ends', () => {
  assert.equal(lapseOf(member(30.1), NOW), 'fine');
  assert.equal(lapseOf(member(29.9), NOW), 'notice');
  assert.equal(lapseOf(member(6.9), NOW), 'soon');
  assert.equal(lapseOf(member(0.9), NOW), 'last');
  assert.equal(lapseOf(member(-0.1), NOW), 'over');
  assert.equal(lapseOf({ status: 'suspended' }, NOW), 'fine');
});

test('status colours it, and says when', () => {
  const line = (days: number, status?: string) =>
    membershipLines({ ...NODE, membership: member(days, status) }, NOW, style as never)[0]?.[1];
  assert.equal(line(90), 'active; attested until 2027-04-01');
  assert.equal(line(29.5), '<yellow>active; its attestation ends in 29 d 12 h, on 2027-01-30');
  assert.equal(line(6.5), '<yellow>active; its attestation ends in 6 d 12 h, on 2027-01-07');
  assert.equal(line(0.5), '<red>active; its attestation ends in 12 h, on 2027-01-01');
  assert.equal(line(-1), '<red>active; its attestation ended on 2026-12-31: out in 6 d');
  assert.equal(line(90, 'warned'), '<yellow>warned; attested until 2027-04-01');
  assert.deepEqual(membershipLines({ ...NODE, membership: null }, NOW, style as never), []);
});

test('a node that is voted out sees until when it serves and may appeal', () => {
  const out = { status: 'draining', drainsUntil: at(30), appealUntil: at(14) };
  const text = 'draining; serves what it holds until 2027-01-31; an appeal is possible until 2027-01-15';
  assert.equal(describeStanding(out, NOW), text);
  assert.equal(describeStanding({ status: 'ejected', appealUntil: at(-1) }, NOW), 'ejected');
  assert.equal(describeStanding({ status: 'ejected', appealedAt: at(-1) }, NOW), 'ejected; appealed on 2026-12-31');
  assert.deepEqual(membershipLines({ ...NODE, membership: out }, NOW, style as never), [
    ['membership', `<red>${text}`],
  ]);
  const check = gradeMembership({ ...INFO, membership: 'draining', standing: out }, NOW);
  assert.deepEqual([check.grade, check.value], ['bad', text]);
});

test('doctor: a month before it is poor, a day before bad', () => {
  const grade = (days: number, status?: string) => gradeStanding(member(days, status), NOW).grade;
  assert.deepEqual(
    [90, 29, 6, 0.5, -1].map((days) => grade(days)),
    ['good', 'poor', 'poor', 'bad', 'bad'],
  );
  assert.equal(grade(90, 'warned'), 'poor');
  assert.equal(gradeMembership({ ...INFO, membership: 'active', standing: member(6) }, NOW).grade, 'poor');
  assert.equal(gradeMembership({ ...INFO, membership: 'left', standing: { status: 'left' } }, NOW).grade, 'poor');
});
