import type { Target } from '../../check.ts';
import { fitnessSentence } from '../fitness.ts';
import { postureWords } from '../posture.ts';
import { type Priority, prioritiesOf } from '../priorities.ts';
import { countVerdicts, type Report, waivedCritical } from '../report.ts';
import { isShown, type Selection } from '../selection.ts';
import {
  capitalised,
  headline,
  plural,
  TARGET_TITLES,
  TARGETS_IN_ORDER,
  timeWords,
  VERDICT_WORDS,
  VERDICTS_BY_CONCERN,
} from '../words.ts';
import { checkLink } from './anchors.ts';
import { type Html, html, NOTHING, prose } from './markup.ts';

/** What, when, how good: all that someone needs who reads no further. */
export function pageHeader(report: Report, only?: Selection): Html {
  const { node, profile, tool, createdAt, collectedAt, score } = report;
  return html`<header>
<p class="kicker">Nectar BYON hardening report</p>
<h1>Node <span class="name">${node.id}</span></h1>
<p class="fitness ${report.fitness.fit ? 'pass' : 'fail'}">${fitnessSentence(report.fitness)}</p>
<div class="headline">
<p class="score" aria-label="Score ${score.value} of 100">${scoreFigure(report)}</p>
<div>
<p class="outcome">${outcomeWords(report)}</p>
${verdictBar(report)}
<ul class="counts">${VERDICTS_BY_CONCERN.map(
    (verdict) => html`<li class="${verdict}"><strong>${report.counts[verdict]}</strong> ${VERDICT_WORDS[verdict]}</li>`,
  )}</ul>
</div>
</div>
<dl class="facts">
${report.posture.map(
  (one) => html`<div><dt>${capitalised(one.side)}</dt><dd>${postureWords(one)}</dd></div>
`,
)}<div><dt>Profile</dt><dd>${profile.title} (${profile.name})</dd></div>
<div><dt>Target</dt><dd>${node.target}</dd></div>
<div><dt>Network</dt><dd>${node.network}</dd></div>
<div><dt>Seen</dt><dd>${timeWords(collectedAt)}</dd></div>
<div><dt>Judged</dt><dd>${timeWords(createdAt)}</dd></div>
<div><dt>By</dt><dd>${tool.name} ${tool.version}</dd></div>
</dl>
<p class="about">${prose(profile.about)}</p>
${navigation(only)}
</header>`;
}

function navigation(only: Selection): Html {
  const whole = only === undefined;
  const link = (there: boolean, part: string, words: string): Html =>
    there ? html`<li><a href="#${part}">${words}</a></li>\n` : NOTHING;
  return html`<nav aria-label="Parts of this report"><ul>
${link(isShown(only, 'fail'), 'first', 'What to do first')}${link(true, 'checks', 'Checks')}${link(whole, 'hipaa', 'HIPAA')}${link(whole, 'score', 'Score')}${link(whole, 'waivers', 'Waivers')}${link(true, 'provenance', 'Who looked, and how to verify')}</ul></nav>`;
}

function scoreFigure({ score }: Report): Html {
  return score.possible === 0 ? html`<strong>none</strong>` : html`<strong>${score.value}</strong><span>of 100</span>`;
}

function outcomeWords(report: Report): string {
  const { failed, unseen, profile, counts } = report;
  const from = `at or above ${profile.threshold}`;
  const fails = failed.length === 0 ? `Nothing failed ${from}.` : `${plural(failed.length, 'check')} failed ${from}.`;
  const below = counts.fail - failed.length;
  const lesser = below === 0 ? '' : ` ${plural(below, 'more failure')} below it.`;
  const blind = unseen.length === 0 ? '' : ` ${plural(unseen.length, 'check')} could not be looked at.`;
  const critical = waivedCritical(report).length;
  const waived = critical === 0 ? '' : ` ${plural(critical, 'critical failure')} waived.`;
  return fails + waived + lesser + blind;
}

/** The counts as one bar; the list beside it says the same in words. */
function verdictBar({ counts }: Report): Html {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  let left = 0;
  const parts = VERDICTS_BY_CONCERN.filter((verdict) => counts[verdict] > 0).map((verdict) => {
    const width = (counts[verdict] / all) * 100;
    const part = html`<rect class="${verdict}" x="${left.toFixed(3)}" y="0" width="${width.toFixed(3)}" height="4"/>`;
    left += width;
    return part;
  });
  return html`<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">${parts}</svg>`;
}

export function prioritySection(report: Report): Html {
  const priorities = prioritiesOf(report);
  return html`<section id="first">
<h2>What to do first</h2>
${
  priorities.length === 0
    ? html`<p>Nothing failed.</p>`
    : html`<ol class="priorities">${priorities.map((priority) => priorityItem(priority, report))}</ol>`
}
${blindWords(report)}
</section>`;
}

function priorityItem({ remedy, severity, results }: Priority, report: Report): Html {
  return html`<li>
<p>${prose(remedy)}</p>
<p class="ends"><span class="severity ${severity}">${severity}</span> ${results.map(
    (result) => html`<span>${checkLink(report.results, result)} ${headline(result)}</span> `,
  )}</p>
</li>`;
}

/** A check that could not look is work too. One reason often blinds many, so that they stand together. */
function blindWords({ results }: Report): Html {
  const reasons = Map.groupBy(
    results.filter(({ verdict }) => verdict === 'error'),
    ({ reason, evidence }) =>
      reason ?? evidence.find(({ error }) => error !== undefined)?.error ?? 'no reason was given',
  );
  if (reasons.size === 0) return NOTHING;
  return html`<h3>Could not be looked at</h3>
<ul class="blind">${[...reasons].map(
    ([reason, blind]) =>
      html`<li>${reason}<br><span class="links">${blind.map((result) => html`${checkLink(results, result)} `)}</span></li>`,
  )}</ul>`;
}

export function targetSection({ results }: Report): Html {
  const rows = TARGETS_IN_ORDER.map((target) => ({
    target,
    own: results.filter((result) => result.target === target),
  }));
  return html`<section>
<h2>By part of the node</h2>
<div class="scroll"><table class="numbers parts">
<thead><tr><th scope="col">Part</th>${VERDICTS_BY_CONCERN.map(
    (verdict) => html`<th scope="col">${VERDICT_WORDS[verdict]}</th>`,
  )}</tr></thead>
<tbody>${rows.filter(({ own }) => own.length > 0).map(({ target, own }) => targetRow(target, countVerdicts(own)))}</tbody>
</table></div>
</section>`;
}

function targetRow(target: Target, counts: Report['counts']): Html {
  return html`<tr><th scope="row">${TARGET_TITLES[target]}</th>${VERDICTS_BY_CONCERN.map((verdict) =>
    counts[verdict] === 0
      ? html`<td class="zero">0</td>`
      : html`<td class="${verdict}" data-label="${VERDICT_WORDS[verdict]}">${counts[verdict]}</td>`,
  )}</tr>`;
}
