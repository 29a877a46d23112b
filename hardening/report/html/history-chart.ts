import { toHistoryEntry } from '../history.ts';
import type { HistoryEntry, Report } from '../report.ts';
import { plural, timeWords } from '../words.ts';
import { type Html, html, NOTHING } from './markup.ts';

const WIDTH = 720;
const HEIGHT = 200;
const MARGIN = { left: 56, right: 56, top: 14, bottom: 28 } as const;
/** More points than these are a smear; the newest are shown. */
const MAX_POINTS = 90;
const MAX_ROWS = 30;

/** How the score came to be what it is. Only reports by the same profile: scores of two profiles cannot be compared. */
export function historySection(report: Report): Html {
  const same = report.history.filter(({ profile }) => profile === report.profile.name);
  if (same.length === 0) return NOTHING;
  const entries = [...same, toHistoryEntry(report)].slice(-MAX_POINTS);
  return html`<section>
<h2>History</h2>
${chart(entries)}
<details><summary>The newest of ${plural(same.length + 1, 'report')} by this profile</summary>
<div class="scroll"><table class="numbers">
<thead><tr><th scope="col">Judged</th><th scope="col">Score</th><th scope="col">Failed</th><th scope="col">Not seen</th><th scope="col">Passed</th></tr></thead>
<tbody>${entries
    .toReversed()
    .slice(0, MAX_ROWS)
    .map(
      ({ createdAt, score, counts }) =>
        html`<tr><th scope="row">${timeWords(createdAt)}</th><td>${score}</td><td>${counts.fail}</td><td>${counts.error}</td><td>${counts.pass}</td></tr>`,
    )}</tbody>
</table></div>
</details>
</section>`;
}

function chart(entries: readonly HistoryEntry[]): Html {
  const points = entries.map((entry, index) => ({ entry, ...place(entries, index) }));
  const [first, last] = [points.at(0), points.at(-1)];
  if (first === undefined || last === undefined) return NOTHING;
  const path = points.map(({ x, y }) => `${x},${y}`).join(' ');
  const label = `Score over ${plural(entries.length, 'report')}, from ${first.entry.score} on ${first.entry.createdAt.slice(0, 10)} to ${last.entry.score} on ${last.entry.createdAt.slice(0, 10)}`;
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
${[0, 50, 100].map(
  (score) =>
    html`<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${yOf(score)}" y2="${yOf(score)}"/><text class="tick" x="${MARGIN.left - 8}" y="${yOf(score) + 4}" text-anchor="end">${score}</text>`,
)}
<polyline class="line" points="${path}"/>
${points.map(({ x, y, entry }) => html`<circle class="point" cx="${x}" cy="${y}" r="3.5"><title>${timeWords(entry.createdAt)}: ${entry.score}</title></circle>`)}
<text class="tick" x="${MARGIN.left}" y="${HEIGHT - 8}">${first.entry.createdAt.slice(0, 10)}</text>
<text class="tick" x="${WIDTH - MARGIN.right}" y="${HEIGHT - 8}" text-anchor="end">${last.entry.createdAt.slice(0, 10)}</text>
<text class="last" x="${last.x + 8}" y="${last.y + 5}">${last.entry.score}</text>
</svg>`;
}

/** By time, since reports made by hand lie close together; by order where all are of one moment. */
function place(entries: readonly HistoryEntry[], index: number): { x: number; y: number } {
  const times = entries.map(({ createdAt }) => Date.parse(createdAt));
  const [begin, end] = [Math.min(...times), Math.max(...times)];
  const share =
    end > begin ? ((times[index] ?? begin) - begin) / (end - begin) : index / Math.max(1, entries.length - 1);
  const x = MARGIN.left + share * (WIDTH - MARGIN.left - MARGIN.right);
  return { x: Math.round(x * 10) / 10, y: yOf(entries[index]?.score ?? 0) };
}

function yOf(score: number): number {
  return Math.round(MARGIN.top + (1 - score / 100) * (HEIGHT - MARGIN.top - MARGIN.bottom));
}
