import type { Verdict } from '../../finding.ts';
import { printable } from '../printable.ts';
import type { Result } from '../report.ts';
import { decisiveEvidence, evidenceWords, forTarget, headline, plural } from '../words.ts';
import { hang, type Screen, type Style } from './text.ts';

/** As wide as the widest of them; in capitals what must catch the eye without colour. */
const MARKS: Readonly<Record<Verdict, readonly [text: string, style: Style]>> = {
  pass: ['pass', 'green'],
  fail: ['FAIL', 'red'],
  error: ['UNSEEN', 'yellow'],
  waived: ['waived', 'cyan'],
  manual: ['manual', 'cyan'],
  'not-applicable': ['n/a', 'dim'],
};
/** Nothing that somebody could take for well. */
const WAIVED_CRITICAL: (typeof MARKS)[Verdict] = ['WAIVED', 'red'];
const MARK_COLUMNS = 6;
/** Below this the severity stands behind the title. */
const WIDE_COLUMNS = 80;
const MAX_SUBJECTS = 5;

/** One check: mark, id, severity, title, and below it what a person needs to know unless it passed. */
export function resultLines(result: Result, target: string, screen: Screen): string[] {
  const { check, verdict, severity } = result;
  const [mark, colour] = verdict === 'waived' && severity === 'critical' ? WAIVED_CRITICAL : MARKS[verdict];
  const wide = screen.columns >= WIDE_COLUMNS;
  const open = verdict !== 'pass' && verdict !== 'not-applicable';
  const columns = [mark.padEnd(MARK_COLUMNS), printable(check).padEnd(12), ...(wide ? [severity.padEnd(8)] : [])];
  const [markCell = '', ...cells] = columns;
  const head = `${screen.style(colour, markCell)}  ${cells.join('  ')}  `;
  const text = wide || !open ? headline(result) : `${headline(result)} (${severity})`;
  const lines = hang(head, text, screen, columns.join('  ').length + 2);
  return [...lines, ...detailLines(result, target, screen)];
}

function detailLines(result: Result, target: string, screen: Screen): string[] {
  const indent = ' '.repeat(MARK_COLUMNS + 2);
  const say = (text: string): string[] => hang(indent, text, screen).map((line) => screen.style('dim', line));
  switch (result.verdict) {
    case 'pass':
      return [];
    case 'not-applicable':
      return say(result.reason ?? '');
    case 'manual':
      return say(forTarget(result.see, target));
    case 'error':
      return result.reason === undefined ? evidenceLines(result, screen, indent) : hang(indent, result.reason, screen);
    case 'waived':
      return [...evidenceLines(result, screen, indent), ...say(waiverWords(result))];
    case 'fail':
      return [
        ...evidenceLines(result, screen, indent),
        ...(result.waiver === undefined
          ? []
          : say(`the waiver of ${result.waiver.owner} is over since ${result.waiver.until}`)),
      ];
  }
}

function evidenceLines(result: Result, screen: Screen, indent: string): string[] {
  const { fact = '', expected = '' } = result;
  const decisive = decisiveEvidence(result);
  const shown = decisive.slice(0, MAX_SUBJECTS);
  const rest = decisive.length - shown.length;
  return [
    ...hang(indent, `${fact}: expected ${expected}`, screen),
    ...shown.flatMap((one) => hang(`${indent}- `, `${one.subject}: ${evidenceWords(fact, one)}`, screen)),
    ...(rest > 0 ? [`${indent}  and ${plural(rest, 'subject')} more`] : []),
  ];
}

export function waiverWords({ waiver }: Pick<Result, 'waiver'>): string {
  if (waiver === undefined) return '';
  const leaf = waiver.auditLeaf === undefined ? '' : ` (leaf ${waiver.auditLeaf} of the audit log)`;
  return `waived by ${waiver.owner} until ${waiver.until}: ${waiver.reason}${leaf}`;
}
