import type { Report, ReportCollection } from '../report.ts';
import { type Html, html } from './markup.ts';

const OUTCOMES: Readonly<Record<ReportCollection['outcome'], string>> = {
  collected: 'saw it',
  'not-applicable': 'nothing there to see',
  failed: 'could not look',
};

/** Who looked with which privilege, and by what a reader can tell that this report is what it says. */
export function provenanceSection({ collections, digests, profile, tool }: Report): Html {
  return html`<section id="provenance" class="wide">
<h2>Who looked</h2>
<table class="stack">
<thead><tr><th scope="col">Collector</th><th scope="col">Privilege it needs</th><th scope="col">Outcome</th></tr></thead>
<tbody>${collections.map(
    ({ collector, privilege, outcome, reason }) => html`<tr>
<th scope="row">${collector}</th>
<td data-label="Needs">${privilege}</td>
<td data-label="Outcome"><span><span class="outcome-${outcome}">${OUTCOMES[outcome]}</span>${reason === undefined ? html`` : html`: ${reason}`}</span></td>
</tr>`,
  )}</tbody>
</table>
<h2>How to verify this report</h2>
<ul>
<li>Signature and place in the node's audit log: <code>nectar-byon harden verify FILE</code>, with the signature <code>FILE.asc</code> beside this file. A report that was not signed or not recorded says so there.</li>
<li>Verdicts from the same facts, on any machine: <code>nectar-byon harden --facts FACTS.json --profile ${profile.name}</code> with ${tool.name} ${tool.version}; the two digests below are then the same.</li>
<li>One check by hand: each says above how to see for yourself, without this program.</li>
</ul>
<dl class="digests">
<div><dt>SHA-256 of the facts</dt><dd><code>${digests.facts}</code></dd></div>
<div><dt>SHA-256 of the checks</dt><dd><code>${digests.benchmark}</code></dd></div>
</dl>
</section>`;
}
