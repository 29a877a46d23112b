import type { Verdict } from '../../finding.ts';
import type { Report, Result } from '../report.ts';
import { headline, VERDICT_WORDS } from '../words.ts';
import { type Html, html } from './markup.ts';

/** Where a check is told in full: by its place, since an id from outside need not be one in HTML. */
export function anchorOf(results: Report['results'], check: string): string {
  return `check-${results.findIndex((result) => result.check === check)}`;
}

/** Verdicts are words with a sign, and only then colours: paper has none. */
const SIGNS: Readonly<Record<Verdict, string>> = {
  pass: '\u2713',
  fail: '\u2717',
  error: '?',
  waived: '~',
  manual: '\u25cb',
  'not-applicable': '\u2013',
};

export function badge(verdict: Verdict): Html {
  return html`<span class="badge ${verdict}"><span aria-hidden="true">${SIGNS[verdict]}</span> ${VERDICT_WORDS[verdict]}</span>`;
}

/** A check's id that leads to it, with the sign of its verdict. */
export function checkLink(results: Report['results'], result: Result): Html {
  const { check, verdict } = result;
  const words = `${headline(result)}: ${VERDICT_WORDS[verdict]}`;
  return html`<a class="check-link ${verdict}" href="#${anchorOf(results, check)}" title="${words}"><span aria-hidden="true">${SIGNS[verdict]}</span> ${check}<span class="unseen">, ${VERDICT_WORDS[verdict]}</span></a>`;
}
