import type { Change, Listed, ReportDiff } from '../diff.ts';
import { printable } from '../printable.ts';
import { timeWords, VERDICT_WORDS } from '../words.ts';
import { hang, type Screen, type Style } from './text.ts';

/** A diff for a terminal: what got worse first. */
export function renderDiff(diff: ReportDiff, screen: Screen): string {
  const sections = [
    headLines(diff, screen),
    listLines('New failures', 'red', diff.newFailures, screen),
    listLines('Still failing', 'yellow', diff.stillFailing, screen),
    listLines('Fixed', 'green', diff.fixed, screen),
    changeLines(diff.changed, screen),
    listLines('Checks added', 'bold', diff.added, screen),
    listLines('Checks removed', 'bold', diff.removed, screen),
  ].filter((lines) => lines.length > 0);
  if (sections.length === 1) sections.push(['No verdict changed, and nothing failed in either.']);
  return sections.map((lines) => lines.join('\n')).join('\n\n');
}

function headLines({ before, after, caveats, scoreChange }: ReportDiff, screen: Screen): string[] {
  const sign = scoreChange > 0 ? '+' : '';
  const score = `Score ${before.score} -> ${after.score} (${sign}${scoreChange})`;
  const colour: Style = scoreChange < 0 ? 'red' : scoreChange > 0 ? 'green' : 'bold';
  return [
    ...hang('', `From ${timeWords(before.createdAt)} to ${timeWords(after.createdAt)}, node ${after.node.id}`, screen),
    screen.style(colour, score),
    ...caveats.flatMap((caveat) => hang(`${screen.style('yellow', 'Note')}  `, caveat, screen, 'Note  '.length)),
  ];
}

function listLines(title: string, style: Style, list: readonly Listed[], screen: Screen): string[] {
  if (list.length === 0) return [];
  return [
    screen.style(style, `${title}: ${list.length}`),
    ...list.flatMap(({ check, severity, title: what }) =>
      hang(`  ${printable(check).padEnd(12)}  `, `${what} (${severity})`, screen),
    ),
  ];
}

function changeLines(changes: readonly Change[], screen: Screen): string[] {
  if (changes.length === 0) return [];
  return [
    screen.style('bold', `Other verdicts: ${changes.length}`),
    ...changes.flatMap(({ check, title, from, to }) =>
      hang(`  ${printable(check).padEnd(12)}  `, `${title}: ${VERDICT_WORDS[from]} -> ${VERDICT_WORDS[to]}`, screen),
    ),
  ];
}
