import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { styleText } from 'node:util';
import fc from 'fast-check';
import { diffReports } from '../../../../hardening/report/diff.ts';
import { renderDiff } from '../../../../hardening/report/terminal/diff.ts';
import { renderExplanation } from '../../../../hardening/report/terminal/explain.ts';
import { renderTable } from '../../../../hardening/report/terminal/table.ts';
import { hang, PLAIN, type Screen } from '../../../../hardening/report/terminal/text.ts';
import { anyReport } from './any-report.ts';
import { CHECKS, exampleReport, goodReport } from './fixture.ts';

const screen = (columns: number): Screen => ({ ...PLAIN, columns });
const coloured: Screen = { columns: 100, style: (style, text) => styleText(style, text, { validateStream: false }) };
/** Colours that we wrote ourselves; what else begins with an escape came from outside. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape is what is looked for
const OWN_COLOUR = /\u001b\[\d{1,2}m/g;
const DRIVES_TERMINAL = /[\p{Cc}\p{Cf}]/u;

describe('renderTable', () => {
  const text = renderTable(exampleReport('nectar-gateway'), PLAIN);

  it('groups by target, with the verdict of every check, its subjects, and what was expected of them', () => {
    assert.match(text, /^Containers: 2 failed, 1 passed$/m);
    assert.match(text, /^FAIL {4}BYON-CTR-001 {2}high {6}It is not so: Root file system is read-only$/m);
    assert.match(text, /^ {8}container\.readOnlyRoot: expected yes\n {8}- nectar-gateway: no$/m);
    assert.match(text, /^pass {4}BYON-CTR-002/m);
    const judged = exampleReport().results.filter(({ verdict }) => verdict !== 'not-applicable');
    for (const { check } of judged) assert.ok(text.includes(check), check);
  });

  it('counts what does not apply, once per reason', () => {
    const idle = exampleReport().results.filter(({ verdict }) => verdict === 'not-applicable');
    assert.ok(idle.length > 0);
    for (const { check, reason = '' } of idle) {
      assert.ok(!text.includes(check), check);
      assert.ok(text.replaceAll(/\s+/g, ' ').includes(reason), reason);
    }
    assert.match(text, /^n\/a {5}1 check: /m);
  });

  it('says why something was not seen, who waived what until when, and whose waiver is over', () => {
    assert.match(text, /^UNSEEN {2}BYON-AUD-001/m);
    assert.match(text, /- node: not seen: no answer from nectar-gateway/);
    assert.match(text, /- host: EACCES nectar-gateway\. It needs root\./);
    assert.match(text.replaceAll(/\s+/g, ' '), /Dr\. Ada until 2026-12-31: The clinic has one network only\./);
    assert.match(text, /the waiver of IT is over since 2026-10-31/);
  });

  it('ends with what to do first, from the worst, and the score', () => {
    const [, end = ''] = text.split('What to do first\n');
    assert.match(end, /^ 1\. Run `nectar-byon init --target docker` again for BYON-CTR-001\.\n {4}high: BYON-CTR-001/);
    assert.match(end, /Score 30 of 100 {2}3 failed, 2 not seen, 1 waived/);
    assert.match(end, /10 of 33 points: critical 1\/2 x 10, high 0\/1 x 6/);
    assert.match(end, /1 check at or above medium could not be looked at\.\nFit for patient data: not yet, because /);
  });

  it('shows the part that was asked for, and says that it is one', () => {
    const failed = renderTable(exampleReport('nectar-gateway'), PLAIN, ['fail']);
    const marks = [...failed.matchAll(/^(\S+) +BYON-[A-Z0-9]+-\d+ {2}/gm)].map(([, mark]) => mark);
    assert.deepEqual(marks, ['FAIL', 'FAIL', 'FAIL']);
    assert.match(failed, /^Only a part is shown: 3 checks of 9 \(failed\)\. Sentence, score and counts are of all\.$/m);
    assert.match(failed, /What to do first[\s\S]*Score 30 of 100 {2}3 failed, 2 not seen, 1 waived/);
    assert.doesNotMatch(failed, /Could not look|^n\/a/m);
    const unseen = renderTable(exampleReport('nectar-gateway'), PLAIN, ['error', 'manual']);
    assert.match(unseen, /^UNSEEN[\s\S]*Could not look/m);
    assert.match(unseen, /\(not seen, for a person\)/);
    assert.doesNotMatch(unseen, /^(FAIL|pass)|What to do first/m);
  });

  it('says nothing of failures where there are none', () => {
    const good = renderTable(goodReport(), PLAIN);
    assert.doesNotMatch(good, /What to do first|Could not look|FAIL|UNSEEN/);
    assert.match(good, /Score 100 of 100/);
  });

  it('keeps within 60 columns, commands in backticks excepted', () => {
    const lines = renderTable(exampleReport('nectar-gateway'), screen(60)).split('\n');
    assert.deepEqual(
      lines.filter((line) => line.length > 60 && !line.includes('`')),
      [],
    );
  });

  it('colours by verdict only where the screen does', () => {
    assert.ok(renderTable(exampleReport(), coloured).includes(styleText('red', 'FAIL  ', { validateStream: false })));
    assert.doesNotMatch(text, OWN_COLOUR);
  });
});

describe('text for terminals', () => {
  it('lets no name drive the terminal or turn the direction of writing', () => {
    fc.assert(
      fc.property(anyReport, anyReport, fc.integer({ min: 1, max: 200 }), (before, after, columns) => {
        const shown = [
          renderTable(after, { ...coloured, columns }),
          renderDiff(diffReports(before, after), { ...coloured, columns }),
        ].join('\n');
        assert.doesNotMatch(shown.replaceAll(OWN_COLOUR, '').replaceAll('\n', ''), DRIVES_TERMINAL);
        assert.ok(shown.isWellFormed());
      }),
      { numRuns: 100 },
    );
  });

  it('breaks at spaces, indents what follows, and keeps a command whole', () => {
    assert.deepEqual(hang('1. ', 'Run `nectar-byon config set a b c` now, and then again', screen(26)), [
      '1. Run',
      '   `nectar-byon config set a b c`',
      '   now, and then again',
    ]);
  });
});

describe('renderExplanation', () => {
  it('says why, by which fact, how to see it, what to do, and where it comes from', () => {
    const [check] = CHECKS;
    assert.ok(check);
    const text = renderExplanation(check, ['node', 'full'], PLAIN);
    assert.match(
      text,
      /^BYON-CTR-001 {2}Root file system is read-only\nhigh; Containers; automated\nIn the profiles node, full\./,
    );
    assert.match(
      text,
      /Fact: container\.readOnlyRoot\. Whether its root file system is read-only\.\n {2}Expected: yes/,
    );
    assert.match(text, /See for yourself\n {2}docker: docker inspect/);
    assert.match(text, /CIS Docker Benchmark 1\.6\.0, 5\.12/);
  });

  it('says that a manual check needs a person, and which conditions limit an automated one', () => {
    const manual = CHECKS.find(({ mode }) => mode === 'manual');
    const [first] = CHECKS;
    assert.ok(manual && first?.mode === 'automated');
    assert.match(renderExplanation(manual, [], PLAIN), /In no profile\.[\s\S]*A person must look\./);
    const limited = {
      ...first,
      where: [{ fact: 'container.role', expect: { op: 'one-of', value: ['store', 'audit'] } } as const],
    };
    assert.match(renderExplanation(limited, [], PLAIN), /Only where container\.role is one of store, audit\./);
  });
});
