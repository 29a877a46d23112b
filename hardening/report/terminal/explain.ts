import type { Check, PerPlatform } from '../../check.ts';
import { FACTS, factType } from '../../facts/index.ts';
import { expectationWords } from '../../operator.ts';
import { TARGET_TITLES } from '../words.ts';
import { hang, type Screen } from './text.ts';

/** All that is known of one check, before anything is looked at. */
export function renderExplanation(check: Check, profiles: readonly string[], screen: Screen): string {
  const sections = [
    [
      ...hang(`${check.id}  `, check.title, screen).map((line) => screen.style('bold', line)),
      ...hang('', `${check.severity}; ${TARGET_TITLES[check.target]}; ${check.mode}`, screen),
      ...hang('', profiles.length === 0 ? 'In no profile.' : `In the profiles ${profiles.join(', ')}.`, screen),
    ],
    section('Why', hang('  ', check.rationale, screen), screen),
    judgementLines(check, screen),
    section('See for yourself', platformLines(check.see, screen), screen),
    section('What to do', platformLines(check.remediation, screen), screen),
    section(
      'Where it comes from',
      check.refs.flatMap(({ standard, version, clause, title }) =>
        hang('  ', `${standard} ${version}, ${clause}: ${title}`, screen),
      ),
      screen,
    ),
  ];
  return sections.map((lines) => lines.join('\n')).join('\n\n');
}

function section(title: string, lines: readonly string[], { style }: Screen): string[] {
  return [style('bold', title), ...lines];
}

function judgementLines(check: Check, screen: Screen): string[] {
  if (check.mode === 'manual') return section('How it is judged', hang('  ', 'A person must look.', screen), screen);
  const { fact } = check.probe;
  const conditions = check.where.map(
    (condition) => `${condition.fact} is ${expectationWords(factType(condition.fact), condition.expect)}`,
  );
  return section(
    'How it is judged',
    [
      ...hang('  ', `Fact: ${fact}. ${FACTS[fact].about}`, screen),
      ...hang('  ', `Expected: ${expectationWords(factType(fact), check.expect)}`, screen),
      ...(conditions.length === 0 ? [] : hang('  ', `Only where ${conditions.join(', and ')}.`, screen)),
    ],
    screen,
  );
}

function platformLines(texts: PerPlatform, screen: Screen): string[] {
  const entries = Object.entries(texts);
  return entries.flatMap(([platform, text]) => hang(entries.length === 1 ? '  ' : `  ${platform}: `, text, screen));
}
