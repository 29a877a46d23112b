import type { PerPlatform } from '../../check.ts';
import type { Evidence, Verdict } from '../../finding.ts';
import { bySeverity } from '../by-severity.ts';
import type { Report, Result } from '../report.ts';
import {
  capitalised,
  evidenceWords,
  headline,
  plural,
  TARGET_TITLES,
  VERDICT_WORDS,
  VERDICTS_BY_CONCERN,
} from '../words.ts';
import { anchorOf, badge } from './anchors.ts';
import { type Html, html, NOTHING, prose } from './markup.ts';

/** On paper everything is shown: a fleet of a thousand files must not become a thousand lines. */
const MAX_SUBJECTS = 40;

/** By verdict, from what needs a person most: whoever stops reading has seen what matters. */
export function checkSections(report: Report): Html {
  return html`<section id="checks" class="wide">
<h2>The checks</h2>
${report.results.length === 0 ? html`<p>There are none.</p>` : NOTHING}${VERDICTS_BY_CONCERN.map((verdict) => verdictGroup(report, verdict))}
</section>`;
}

function verdictGroup(report: Report, verdict: Verdict): Html {
  const own = bySeverity(report.results.filter((result) => result.verdict === verdict));
  if (own.length === 0) return NOTHING;
  return html`<h3>${capitalised(VERDICT_WORDS[verdict])}: ${own.length}</h3>
${verdict === 'not-applicable' ? idleReasons(own) : NOTHING}${own.map((result) => checkDetails(result, report))}`;
}

/** All that paper shows of what does not apply: hundreds of lines would say the same few things. */
function idleReasons(results: readonly Result[]): Html {
  const reasons = Map.groupBy(results, ({ reason }) => reason ?? 'it does not apply here');
  return html`<ul class="idle">${[...reasons].map(
    ([reason, { length }]) => html`<li>${plural(length, 'check')}: ${reason}</li>`,
  )}</ul>
`;
}

/** Open from the start is what needs a person. */
function checkDetails(result: Result, report: Report): Html {
  const { check, severity, verdict, target } = result;
  const bad = verdict === 'fail' || verdict === 'error' || (verdict === 'waived' && severity === 'critical');
  const open = bad ? html` open` : NOTHING;
  // The anchor is inside: a browser that is led to it opens what is around it.
  return html`<details class="check ${verdict}"${open}>
<summary>${badge(verdict)}<span class="title">${headline(result)}</span><span class="meta"><span class="soft part-of">${TARGET_TITLES[target]}</span> <span class="severity ${severity}">${severity}</span> <span class="id">${check}</span></span></summary>
<div class="body" id="${anchorOf(report.results, check)}">
<p>${prose(result.rationale)}</p>
<dl>
${rows(result, report.node.target)}
</dl>
</div>
</details>
`;
}

function rows(result: Result, target: string): Html {
  const { fact, about = '', expected = '', remediation, see, refs, verdict, waiver, reason } = result;
  return html`${reason === undefined ? NOTHING : row('Why', html`${reason}`)}
${fact === undefined ? NOTHING : row('Looked at', html`<code>${fact}</code> ${about}`)}
${fact === undefined ? NOTHING : row('Expected', html`${expected}`)}
${result.evidence.length === 0 ? NOTHING : row('Observed', observed(result))}
${waiver === undefined ? NOTHING : row(verdict === 'waived' ? 'Waived' : 'Waiver run out', html`by ${waiver.owner} until ${waiver.until}: ${waiver.reason}`)}
${row('See for yourself', platforms(see, target))}
${row(verdict === 'pass' ? 'If it fails' : 'What to do', platforms(remediation, target))}
${row('Bears on', clauses(refs))}`;
}

/** A line for each standard, which may be named by a dozen clauses. */
function clauses(refs: Result['refs']): Html {
  const standards = Map.groupBy(refs, ({ standard, version }) => `${standard} ${version}`);
  return html`<ul>${[...standards].map(
    ([standard, own]) => html`<li>${standard}: ${own.map(({ clause, title }) => `${clause} ${title}`).join('; ')}</li>`,
  )}</ul>`;
}

function row(name: string, value: Html): Html {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

/** What does not hold comes first. */
function observed({ evidence, fact }: Result): Html {
  const sorted = evidence.toSorted((a, b) => Number(a.holds) - Number(b.holds));
  const rest = sorted.length - MAX_SUBJECTS;
  return html`<ul class="subjects">${sorted.slice(0, MAX_SUBJECTS).map((one) => subject(one, fact))}</ul>${
    rest > 0
      ? html`<p class="soft">and ${plural(rest, 'more subject')}; all of them are in the JSON report</p>`
      : NOTHING
  }`;
}

function subject(one: Evidence, fact: string | undefined): Html {
  const verdict = one.error !== undefined ? 'error' : one.holds ? 'pass' : 'fail';
  return html`<li class="${verdict}"><span class="name">${one.subject}</span>: ${evidenceWords(fact, one)}</li>`;
}

/** The node's own target first and alone; else what is said for others, named. */
function platforms(texts: PerPlatform, target: string): Html {
  const own = Object.entries(texts).find(([platform]) => platform === target)?.[1] ?? texts.any;
  if (own !== undefined) return prose(own);
  return html`<ul>${Object.entries(texts).map(([platform, text]) => html`<li>${platform}: ${prose(text)}</li>`)}</ul>`;
}
