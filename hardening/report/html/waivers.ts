import type { Waiver } from '../../finding.ts';
import type { Report } from '../report.ts';
import { checkLink } from './anchors.ts';
import { type Html, html, NOTHING } from './markup.ts';

/** Every decision to live with a failure, with its name and its end, and those that no longer decide anything. */
export function waiverSection(report: Report): Html {
  const inForce = report.results.flatMap(({ verdict, waiver }) =>
    verdict === 'waived' && waiver !== undefined ? [waiver] : [],
  );
  const { idleWaivers, waiversUnknown } = report;
  return html`<section id="waivers" class="wide">
<h2>Waivers</h2>
${
  waiversUnknown === undefined
    ? NOTHING
    : html`<p>The audit log could not say what is waived, so nothing is: ${waiversUnknown}.</p>`
}${
  waiversUnknown !== undefined
    ? NOTHING
    : inForce.length + idleWaivers.length === 0
      ? html`<p>There are none.</p>`
      : html`<table class="stack">
<thead><tr><th scope="col">Check</th><th scope="col">Owner</th><th scope="col">Until</th><th scope="col">Reason</th><th scope="col">Audit log</th><th scope="col">State</th></tr></thead>
<tbody>${inForce.map((waiver) => waiverRow(report, waiver, 'in force'))}${idleWaivers.map((waiver) =>
          waiverRow(report, waiver, idleWords(report, waiver)),
        )}</tbody>
</table>`
}
</section>`;
}

function waiverRow(report: Report, waiver: Waiver, state: string): Html {
  const result = report.results.find(({ check }) => check === waiver.check);
  return html`<tr>
<th scope="row">${result === undefined ? html`${waiver.check}` : checkLink(report.results, result)}</th>
<td data-label="Owner">${waiver.owner}</td>
<td data-label="Until">${waiver.until}</td>
<td data-label="Reason">${waiver.reason}</td>
<td data-label="Audit log">${waiver.auditLeaf === undefined ? 'not named' : `leaf ${waiver.auditLeaf}`}</td>
<td data-label="State">${state}</td>
</tr>`;
}

function idleWords({ results, collectedAt }: Report, { check, until }: Waiver): string {
  if (collectedAt.slice(0, 10) > until) return 'run out';
  const result = results.find((candidate) => candidate.check === check);
  if (result === undefined) return 'its check is not in this profile';
  return result.verdict === 'error' ? 'cannot waive what was not seen' : 'not needed: its check does not fail';
}
