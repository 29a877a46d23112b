import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FoldedNote, foldNote } from '../../../../appliance/audit/logged-notes.ts';

const A = 'BYON-CTR-001';
const B = 'BYON-CTR-002';

interface Leaf {
  readonly type: string;
  readonly outcome?: 'success' | 'failure';
  readonly detail: Readonly<Record<string, string | number>>;
}

function waive(check: string, detail: Leaf['detail'] = {}): Leaf {
  return { type: 'hardening.waive', detail: { check, owner: 'it', until: '2027-01-31', profile: 'node', ...detail } };
}
const unwaive = (check: string): Leaf => ({ type: 'hardening.unwaive', detail: { check } });
function report(detail: Leaf['detail'] = {}): Leaf {
  const none = { failed: '', failedBelow: '', waived: '', unseen: '' };
  return { type: 'hardening.report', detail: { profile: 'node', ...none, ...detail } };
}

function fold(leaves: readonly Leaf[]): FoldedNote[] {
  let notes: ReadonlyMap<string, FoldedNote> = new Map();
  for (const [index, { type, outcome = 'success', detail }] of leaves.entries())
    notes = foldNote(notes, { type, outcome, detail }, { index, now: 0 });
  return [...notes.values()];
}

const waived = (leaves: readonly Leaf[]): [string | undefined, number][] =>
  fold(leaves)
    .filter(({ type }) => type.includes('waive'))
    .map(({ detail, index }) => [detail.check, index]);

describe('waivers in the log', () => {
  it('are the newest leaf of each check, until one takes it back', () => {
    assert.deepEqual(waived([waive(A), waive(B), waive(A)]), [
      [B, 1],
      [A, 2],
    ]);
    assert.deepEqual(waived([waive(A), waive(B), unwaive(A)]), [[B, 1]]);
    assert.deepEqual(waived([unwaive(A)]), []);
    assert.deepEqual(waived([waive(A), { ...waive(B), outcome: 'failure' }]), [[A, 0]]);
  });

  for (const [where, detail] of Object.entries({
    'among the failed': { failed: `${B} ${A}` },
    'failed below the threshold': { failedBelow: A },
    'among the waived': { waived: A },
    'among the unseen': { unseen: A },
  }))
    it(`last while a report has the check ${where}`, () => {
      assert.deepEqual(waived([waive(A), report(detail)]), [[A, 0]]);
    });

  it('end with a report of their profile in which the check holds', () => {
    assert.deepEqual(waived([waive(A), waive(B), report({ waived: B })]), [[B, 1]]);
    assert.deepEqual(waived([waive(A), report({ profile: 'host' })]), [[A, 0]], 'another profile says nothing of it');
    const { waived: _, ...older } = report().detail;
    assert.deepEqual(waived([waive(A), { type: 'hardening.report', detail: older }]), [[A, 0]]);
  });

  it('never push out what is known of reports and backups, nor are they pushed out', () => {
    const many = Array.from({ length: 600 }, (_, n) => waive(`BYON-CTR-${n}`));
    const notes = fold([
      waive(A),
      report({ waived: A, failed: many.map(({ detail }) => detail.check).join(' ') }),
      ...many,
    ]);
    assert.equal(notes.filter(({ type }) => type === 'hardening.report').length, 1);
    const kept = notes.filter(({ type }) => type === 'hardening.waive');
    assert.equal(kept.length, 512);
    assert.equal(kept.at(-1)?.detail.check, 'BYON-CTR-599');
    const repositories = Array.from({ length: 300 }, (_, n) => ({
      type: 'backup.verify',
      detail: { repository: `repository-${n}` },
    }));
    assert.deepEqual(waived([waive(A), ...repositories]), [[A, 0]]);
    assert.equal(fold([waive(A), ...repositories]).length, 129);
  });
});
