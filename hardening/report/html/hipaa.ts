import { type ClauseEvidence, evidenceOf, FURTHER_CLAUSES, TECHNICAL_CLAUSES } from '../hipaa-clauses.ts';
import type { Report } from '../report.ts';
import { badge, checkLink } from './anchors.ts';
import { type Html, html, NOTHING } from './markup.ts';

/** Every standard and specification of 164.312, met or not, and those of the other sections to which a check contributes. */
export function hipaaSection(report: Report): Html {
  const { results } = report;
  const technical = TECHNICAL_CLAUSES.map((clause) => evidenceOf(clause, results));
  const further = FURTHER_CLAUSES.map((clause) => evidenceOf(clause, results)).filter(
    ({ verdict }) => verdict !== 'none',
  );
  return html`<section id="hipaa" class="wide">
<h2>HIPAA Security Rule</h2>
<p>What this node shows for 45 CFR Part 164, Subpart C. The rule binds the covered entity and its business associates, not software: evidence is not compliance, and what people do is not seen from here. Engineering guidance, not legal advice. A standard must be met; an addressable specification must be assessed, and implemented or replaced by an equivalent measure with the reason written down.</p>
<h3>Technical safeguards, 164.312</h3>
${matrix(report, technical)}
${
  further.length === 0
    ? NOTHING
    : html`<h3>Further clauses to which this node contributes evidence</h3>${matrix(report, further)}`
}
</section>`;
}

function matrix(report: Report, rows: readonly ClauseEvidence[]): Html {
  return html`<table class="stack clauses">
<thead><tr><th scope="col">Clause</th><th scope="col">Title</th><th scope="col">Kind</th><th scope="col">Evidence</th><th scope="col">Checks</th></tr></thead>
<tbody>${rows.map(
    ({ clause, verdict, results }) => html`<tr>
<th scope="row">${clause.id}</th>
<td>${clause.title}</td>
<td data-label="Kind"><span class="rule ${clause.rule}">${clause.rule}</span></td>
<td data-label="Evidence">${evidence(verdict, results)}</td>
<td data-label="Checks" class="links">${results.map((result) => html`${checkLink(report.results, result)} `)}</td>
</tr>`,
  )}</tbody>
</table>`;
}

/** How many of the clause's checks have the verdict that is said of it. */
function evidence(verdict: ClauseEvidence['verdict'], results: ClauseEvidence['results']): Html {
  if (verdict === 'none') return html`<span class="soft">none in this profile</span>`;
  const same = results.filter((result) => result.verdict === verdict).length;
  // One that passed beside others that nobody judged is no pass of the clause.
  if (verdict === 'pass' && same < results.length)
    return html`<span><span class="badge manual">partly</span> <span class="soft of">${same} of ${results.length} passed</span></span>`;
  return html`<span>${badge(verdict)} <span class="soft of">${same} of ${results.length}</span></span>`;
}
