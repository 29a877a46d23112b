import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { loadBenchmark } from '../../../../hardening/load-benchmark.ts';
import { evidenceOf, FURTHER_CLAUSES, TECHNICAL_CLAUSES } from '../../../../hardening/report/hipaa-clauses.ts';
import { escapeHtml, html, prose } from '../../../../hardening/report/html/markup.ts';
import { renderHtml } from '../../../../hardening/report/html/page.ts';
import { SELECTABLE } from '../../../../hardening/report/selection.ts';
import { headline } from '../../../../hardening/report/words.ts';
import { anyReport } from './any-report.ts';
import { exampleReport, goodReport, HOSTILE } from './fixture.ts';

/** Every tag and attribute that the report has. Anything else came from a text. */
const TAGS =
  'a body br caption circle code dd details div dl dt h1 h2 h3 head header html li line link main meta nav ol p polyline rect section span strong style summary svg table tbody td text th thead title tr ul'.split(
    ' ',
  );
const ATTRIBUTES =
  'aria-hidden aria-label charset class content cx cy data-label height href http-equiv id lang name open points preserveAspectRatio r rel role scope text-anchor title viewBox width x x1 x2 y y1 y2'.split(
    ' ',
  );
const TAG = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:[0-9])?(?:="[^"<>]*")?)*)\s*\/?>/g;

/** Fails unless a page is made of our tags and attributes alone, and leads nowhere. */
function assertOnlyOurs(page: string): void {
  const body = page.replace(/^<!doctype html>/, '').replace(/<style>[^<]*<\/style>/, '');
  for (const [, , tag = '', attributes = ''] of body.matchAll(TAG)) {
    assert.ok(TAGS.includes(tag), `<${tag}>`);
    for (const [, name = '', value = ''] of attributes.matchAll(/\s([a-zA-Z-]+[0-9]?)(?:="([^"]*)")?/g)) {
      assert.ok(ATTRIBUTES.includes(name), `<${tag} ${name}>`);
      if (name === 'href') assert.match(value, /^(#[a-z]+(-\d+)?|data:,)$/);
    }
  }
  assert.doesNotMatch(body.replaceAll(TAG, ''), /[<>]/);
}

describe('renderHtml', () => {
  const page = renderHtml(exampleReport());

  it('is one file: no script, no style but its own by digest, nothing to load', () => {
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? [];
    const digest = createHash('sha256').update(style).digest('base64');
    const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    assert.ok(policy.startsWith(`default-src &#39;none&#39;; style-src &#39;sha256-${digest}&#39;;`), policy);
    assert.doesNotMatch(page, /<script|\sstyle=|@import|url\(|https?:/);
  });

  it('says for each check what was seen and expected, how to see it, what to do, and what it bears on', () => {
    for (const result of exampleReport().results) {
      assert.ok(page.includes(`<span class="title">${headline(result)}</span>`), result.check);
      assert.ok(page.includes(`<span class="id">${result.check}</span>`), result.check);
    }
    assert.match(page, /<dt>Expected<\/dt><dd>mode 0600 or stricter<\/dd>/);
    assert.match(page, /<li class="fail"><span class="name">keys\.json<\/span>: 0644<\/li>/);
    assert.match(
      page,
      /<dt>What to do<\/dt><dd>Run <code>nectar-byon init --target docker<\/code> again for BYON-CTR-001\./,
    );
    assert.match(page, /<dt>See for yourself<\/dt><dd>docker inspect/);
    assert.match(page, /<li>CIS Docker Benchmark 1\.6\.0: 5\.12 Root file system is read-only<\/li>/);
  });

  it('opens what needs a person, and leaves the rest closed', () => {
    const open = [
      ...page.matchAll(/<details class="check [a-z-]+"( open)?>\s*<summary><span class="badge ([a-z-]+)">/g),
    ];
    assert.equal(open.length, 9);
    for (const [, isOpen, verdict] of open)
      assert.equal(isOpen !== undefined, verdict === 'fail' || verdict === 'error');
  });

  it('leads every link to a place that is there', () => {
    const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(([, target]) => target);
    assert.ok(targets.length > 15);
    for (const target of targets) assert.ok(page.includes(`id="${target}"`), target);
  });

  it('has failures before everything that somebody only looks up', () => {
    const at = (text: string): number => {
      assert.ok(page.includes(text), text);
      return page.indexOf(text);
    };
    const parts = ['What to do first', '<h3>Failed: 3</h3>', '<h3>Not seen: 2</h3>', '<h3>Passed: 1</h3>', '<h2>HIPAA'];
    assert.deepEqual(
      parts.map(at),
      parts.map(at).toSorted((a, b) => a - b),
    );
  });

  it('shows the part that was asked for, says so, and judges by all of it', () => {
    for (const [word, verdict] of Object.entries(SELECTABLE)) {
      const part = renderHtml(exampleReport(), [verdict]);
      assertOnlyOurs(part);
      const shown = [...part.matchAll(/<details class="check ([a-z-]+)"/g)].map(([, one]) => one);
      const count = exampleReport().counts[verdict];
      assert.deepEqual(shown, Array(count).fill(verdict), word);
      assert.match(part, new RegExp(`<p class="part">Only a part is shown: ${count} checks? of 9`), word);
      const header = (of: string): string => /<h1>[\s\S]*<p class="about">/.exec(of)?.[0] ?? '';
      assert.equal(header(part), header(page), word);
      for (const [, target = ''] of part.matchAll(/href="#([^"]+)"/g))
        assert.ok(part.includes(`id="${target}"`), target);
      assert.doesNotMatch(part, /<h2>(HIPAA|Waivers|The score)/);
      assert.equal(/<h2>What to do first/.test(part), verdict === 'fail', word);
    }
    assert.match(renderHtml(goodReport(), ['fail']), /0 checks of 9 \(failed\)[\s\S]*There are none\./);
    assert.doesNotMatch(page, /Only a part/);
  });

  it('explains the score by weights that add up to it', () => {
    assert.match(page, /<th scope="row">critical<\/th><td>10<\/td><td>2<\/td><td>1<\/td><td>10 of 20<\/td>/);
    assert.match(
      page,
      /10 of 33 points: 100 × 10 ÷ 33, rounded down, and at most 69 while a critical promise is broken, waived or not seen, is <strong>30<\/strong>/,
    );
  });

  it('shows the history with this report as its last point, and none where there is none', () => {
    assert.match(page, /aria-label="Score over 5 reports, from 54 on 2026-11-10 to 30 on 2026-11-23"/);
    assert.equal(page.match(/<circle/g)?.length, 5);
    assert.doesNotMatch(renderHtml({ ...exampleReport(), history: [] }), /<circle|<h2>History/);
    const others = exampleReport().history.map((entry) => ({ ...entry, profile: 'strict' }));
    assert.doesNotMatch(renderHtml({ ...exampleReport(), history: others }), /<circle/);
  });

  it('names owner and end of waivers, and says of idle ones why they are', () => {
    assert.match(page, /data-label="Owner">[^<]*Dr\. Ada<\/td>\s*<td data-label="Until">2026-12-31/);
    assert.match(page, /data-label="State">run out</);
    const idle = goodReport();
    const waivers = [
      { check: 'BYON-CTR-001', owner: 'IT', reason: 'x', until: '2026-12-31', since: '2026-11-01T00:00:00.000Z' },
      { check: 'BYON-CTR-999', owner: 'IT', reason: 'x', until: '2026-12-31', since: '2026-11-01T00:00:00.000Z' },
    ];
    const shown = renderHtml({ ...idle, idleWaivers: waivers });
    assert.match(shown, /not needed: its check does not fail/);
    assert.match(shown, /its check is not in this profile/);
  });

  it('tells who looked with which privilege, and why someone could not', () => {
    assert.match(
      page,
      /<th scope="row">host<\/th>\s*<td data-label="Needs">root<\/td>[\s\S]*?could not look<\/span>: EACCES/,
    );
  });

  it('turns no text of any report into markup', () => {
    assertOnlyOurs(page);
    fc.assert(
      fc.property(anyReport, (report) => {
        const shown = renderHtml(report);
        assertOnlyOurs(shown);
        assert.ok(shown.isWellFormed());
        assert.doesNotMatch(shown.replaceAll(/[\n\t]/g, ''), /[\p{Cc}\p{Cf}]/u);
      }),
      { numRuns: 100 },
    );
  });

  it('would find a text that was not escaped', () => {
    assert.throws(() => assertOnlyOurs(page.replace('Dr. Ada', HOSTILE)));
    assert.throws(() => assertOnlyOurs(page.replace('Dr. Ada', '<b>Dr. Ada</b>')));
    assert.throws(() => assertOnlyOurs(page.replace('class="kicker"', 'class="kicker" onclick="x"')));
  });
});

describe('html', () => {
  it('escapes texts and lets in only what itself made', () => {
    const forged = JSON.parse('"<b>"') as string;
    assert.equal(
      html`<p title="${'"\''}">${forged}${html`<i>${1}</i>`}</p>`.markup,
      '<p title="&quot;&#39;">&lt;b&gt;<i>1</i></p>',
    );
    assert.equal(escapeHtml('a\u0000\u202e\n\ud800'), 'a\ufffd\ufffd\n\ufffd');
  });

  it('makes commands of what stands in backticks, and nothing of one that is alone', () => {
    assert.equal(prose('run `a <b>` now').markup, 'run <code>a &lt;b&gt;</code> now');
    assert.equal(prose('a ` b').markup, 'a ` b');
  });
});

describe('HIPAA matrix', () => {
  const { results } = exampleReport();
  const verdictOf = (id: string) => {
    const clause = [...TECHNICAL_CLAUSES, ...FURTHER_CLAUSES].find((one) => one.id === id);
    assert.ok(clause, id);
    return evidenceOf(clause, results).verdict;
  };

  it('has every standard and specification of 164.312, addressable ones marked', () => {
    const page = renderHtml(exampleReport());
    for (const { id } of TECHNICAL_CLAUSES) assert.ok(page.includes(`<th scope="row">${id}</th>`), id);
    assert.deepEqual(
      TECHNICAL_CLAUSES.filter(({ rule }) => rule === 'addressable').map(({ id }) => id.slice('164.312'.length)),
      ['(a)(2)(iii)', '(a)(2)(iv)', '(c)(2)', '(e)(2)(i)', '(e)(2)(ii)'],
    );
    assert.match(page, /164\.308\(a\)\(1\)\(ii\)\(D\)/);
    assert.doesNotMatch(page, /164\.308\(a\)\(2\)/);
  });

  it('takes the worst verdict of the checks of a clause, and none where there is no check', () => {
    assert.equal(verdictOf('164.312(a)(1)'), 'pass');
    assert.equal(verdictOf('164.312(a)(2)(iv)'), 'fail');
    assert.equal(verdictOf('164.312(b)'), 'error');
    assert.equal(verdictOf('164.312(d)'), 'none');
    assert.equal(verdictOf('164.308(a)(1)(ii)(D)'), 'manual');
  });

  it('lists the checks of a clause from the worst', () => {
    const page = renderHtml({
      ...exampleReport(),
      results: results.map((result) => ({
        ...result,
        refs: [{ standard: 'HIPAA', version: '1', clause: '164.312(d)', title: 'x' }],
      })),
    });
    const [row = ''] = /<th scope="row">164\.312\(d\)[\s\S]*?<\/tr>/.exec(page) ?? [];
    assert.match(row, /failed<\/span> <span class="soft of">3 of 9</);
    const order = [...row.matchAll(/check-link ([a-z-]+)"/g)].map(([, verdict]) => verdict);
    assert.deepEqual([...new Set(order)], ['fail', 'error', 'waived', 'pass', 'manual', 'not-applicable']);
  });

  it('knows every clause that a check of ours names, by the title that the rule gives it', () => {
    const titles = new Map([...TECHNICAL_CLAUSES, ...FURTHER_CLAUSES].map(({ id, title }) => [id, title]));
    const named = loadBenchmark()
      .checks.flatMap(({ refs }) => refs)
      .filter(({ standard }) => standard.startsWith('HIPAA'));
    assert.ok(named.length > 100);
    assert.deepEqual(
      named
        .filter(({ clause, title }) => titles.get(clause) !== title)
        .map(({ clause, title }) => `${clause} ${title}`),
      [],
    );
  });

  it('does not take a clause for one that begins like it, nor another standard for HIPAA', () => {
    const [clause] = TECHNICAL_CLAUSES;
    const [result] = results;
    assert.ok(clause && result);
    const bearing = (standard: string, text: string) =>
      evidenceOf(clause, [{ ...result, refs: [{ standard, version: '1', clause: text, title: 'x' }] }]).results.length;
    assert.equal(bearing('HIPAA', '164.312(a)(1)'), 1);
    assert.equal(bearing('HIPAA Security Rule', '§ 164.312(a)(1)'), 1);
    assert.equal(bearing('45 CFR 164', '45 CFR 164.312(a)(1)'), 1);
    assert.equal(bearing('HIPAA', '164.312(a)'), 0);
    assert.equal(bearing('HIPAA', '164.312(a)(1)(i)'), 0);
    assert.equal(bearing('CIS', '164.312(a)(1)'), 0);
  });
});
