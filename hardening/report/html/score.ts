import type { Report } from '../report.ts';
import { plural, SEVERITY_WORDS } from '../words.ts';
import { type Html, html } from './markup.ts';

/** No sum is better than the ceiling. */
function ceilingWords({ ceiling }: Report['score']): string {
  return ceiling === 100 ? '' : `, and at most ${ceiling} while a critical promise is broken, waived or not seen`;
}

/** The score with everything that one needs to compute it again. */
export function scoreSection({ score, counts }: Report): Html {
  const left = counts.manual + counts['not-applicable'] + counts.waived;
  const sum =
    score.possible === 0
      ? html`Nothing counted, so there is no score.`
      : html`${score.earned} of ${score.possible} points: 100 × ${score.earned} ÷ ${score.possible}, rounded down${ceilingWords(score)}, is <strong>${score.value}</strong>.`;
  return html`<section id="score">
<h2>The score, explained</h2>
<p>Each check weighs by its severity. One that passed earns its weight; one that failed, or that could not be looked at, earns nothing. What was waived, does not apply or is left to a person does not count (${plural(left, 'check')}); it is listed below.</p>
<div class="scroll"><table class="numbers">
<caption class="unseen">Weights and points by severity</caption>
<thead><tr><th scope="col">Severity</th><th scope="col">Weight</th><th scope="col">Counted</th><th scope="col">Passed</th><th scope="col">Points</th></tr></thead>
<tbody>${score.parts.map(
    ({ severity, weight, counted, passed }) =>
      html`<tr><th scope="row">${SEVERITY_WORDS[severity]}</th><td>${weight}</td><td>${counted}</td><td>${passed}</td><td>${weight * passed} of ${weight * counted}</td></tr>`,
  )}</tbody>
</table></div>
<p>${sum}</p>
</section>`;
}
