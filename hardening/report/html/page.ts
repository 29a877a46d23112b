import { createHash } from 'node:crypto';
import type { Report } from '../report.ts';
import { isShown, type Selection, selected, selectionWords } from '../selection.ts';
import { checkSections } from './checks.ts';
import { hipaaSection } from './hipaa.ts';
import { historySection } from './history-chart.ts';
import { type Html, html, NOTHING, trust } from './markup.ts';
import { provenanceSection } from './provenance.ts';
import { scoreSection } from './score.ts';
import { STYLE } from './style.ts';
import { pageHeader, prioritySection, targetSection } from './summary.ts';
import { waiverSection } from './waivers.ts';

/**
 * The report as one file that asks for nothing else, runs nothing and can be printed. The policy in its head lets a browser use the
 * one style sheet with this digest: even an escaping that was forgotten somewhere could load and run nothing.
 */
export function renderHtml(report: Report, only?: Selection): string {
  const digest = createHash('sha256').update(STYLE).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; img-src data:; base-uri 'none'; form-action 'none'`;
  const title = `Hardening report of node ${report.node.id}, ${report.createdAt.slice(0, 10)}`;
  const page: Html = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${trust(STYLE)}</style>
</head>
<body>
${pageHeader(report, only)}
${only === undefined ? wholeReport(report) : partOfReport(report, only)}
</body>
</html>
`;
  return page.markup;
}

/** What fails comes first, on paper too; what somebody looks up comes last. */
function wholeReport(report: Report): Html {
  return html`<main>
${prioritySection(report)}
${checkSections(report)}
${hipaaSection(report)}
${targetSection(report)}
${scoreSection(report)}
${historySection(report)}
${waiverSection(report)}
${provenanceSection(report)}
</main>`;
}

/** Nothing in it counts or judges the checks as a whole, which are not all there. */
function partOfReport(report: Report, only: Selection): Html {
  const shown = selected(report, only);
  return html`<main>
<p class="part">${selectionWords(report, only) ?? ''}</p>
${isShown(only, 'fail') ? prioritySection(shown) : NOTHING}
${checkSections(shown)}
${provenanceSection(report)}
</main>`;
}
