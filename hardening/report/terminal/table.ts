import type { Target } from '../../check.ts';
import { fitnessSentence } from '../fitness.ts';
import { postureWords } from '../posture.ts';
import { printable } from '../printable.ts';
import { type Priority, prioritiesOf } from '../priorities.ts';
import { countVerdicts, type Report, type Result, waivedCritical } from '../report.ts';
import { isShown, type Selection, selected, selectionWords } from '../selection.ts';
import {
  capitalised,
  headline,
  plural,
  TARGET_TITLES,
  TARGETS_IN_ORDER,
  timeWords,
  VERDICT_WORDS,
  VERDICTS_BY_CONCERN,
} from '../words.ts';
import { resultLines } from './result-lines.ts';
import { hang, type Screen } from './text.ts';

const MAX_PRIORITIES = 10;
const SIDE_COLUMNS = 'network: '.length;
const GOOD_SCORE = 90;
const POOR_SCORE = 70;

/**
 * The report for a terminal. What a person reads first stands last, where the screen stops: what to do, and the score.
 */
export function renderTable(report: Report, screen: Screen, only?: Selection): string {
  const shown = selected(report, only);
  const part = selectionWords(report, only);
  const sections = [
    headLines(report, screen),
    fitnessLines(report, screen),
    part === undefined ? [] : hang('', part, screen),
    ...TARGETS_IN_ORDER.map((target) => targetLines(shown, target, screen)),
    isShown(only, 'error') ? collectionLines(report, screen) : [],
    isShown(only, 'fail') ? priorityLines(report, screen) : [],
    [...summaryLines(report, screen), ...sentenceLines(report, screen)],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => line.trimEnd()).join('\n'))
    .join('\n\n');
}

function headLines({ node, profile, tool, createdAt, collectedAt }: Report, screen: Screen): string[] {
  return [
    ...hang('', `Hardening report of node ${node.id} (${node.target}, ${node.network})`, screen).map((line) =>
      screen.style('bold', line),
    ),
    ...hang('', `Profile ${profile.name}: ${profile.title}. What fails counts from ${profile.threshold}.`, screen),
    ...hang(
      '',
      `Seen ${timeWords(collectedAt)}, judged ${timeWords(createdAt)} by ${tool.name} ${tool.version}.`,
      screen,
    ),
  ];
}

/** The one sentence, alone. */
export function renderSentence({ fitness }: Pick<Report, 'fitness'>, screen: Screen): string {
  return sentenceLines({ fitness }, screen).join('\n');
}

function sentenceLines({ fitness }: Pick<Report, 'fitness'>, screen: Screen): string[] {
  const colour = fitness.fit ? 'green' : 'red';
  return hang('', fitnessSentence(fitness), screen).map((line) => screen.style('bold', screen.style(colour, line)));
}

/** The one sentence, and how each side stands. The sentence stands at the end again, where the screen stops. */
function fitnessLines({ fitness, posture }: Report, screen: Screen): string[] {
  return [
    ...sentenceLines({ fitness }, screen),
    ...posture.flatMap((one) => hang(`${capitalised(one.side)}: `.padEnd(SIDE_COLUMNS), postureWords(one), screen)),
  ];
}

function targetLines({ results, node }: Report, target: Target, screen: Screen): string[] {
  const own = results.filter((result) => result.target === target);
  if (own.length === 0) return [];
  return [
    ...hang('', `${TARGET_TITLES[target]}: ${countWords(own)}`, screen).map((line) => screen.style('bold', line)),
    ...own
      .filter(({ verdict }) => verdict !== 'not-applicable')
      .flatMap((result) => resultLines(result, node.target, screen)),
    ...idleLines(own, screen),
  ];
}

/** What does not apply, one line per reason: dozens of lines of it would push the rest off the screen. */
function idleLines(results: readonly Result[], screen: Screen): string[] {
  const idle = Map.groupBy(
    results.filter(({ verdict }) => verdict === 'not-applicable'),
    ({ reason }) => reason ?? 'it does not apply here',
  );
  return [...idle].flatMap(([reason, { length }]) =>
    hang('n/a     ', `${plural(length, 'check')}: ${reason}`, screen).map((line) => screen.style('dim', line)),
  );
}

/** `3 failed, 1 not seen, 12 passed`: from what needs a person most. */
function countWords(results: readonly Result[]): string {
  const counts = countVerdicts(results);
  return VERDICTS_BY_CONCERN.filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `${counts[verdict]} ${VERDICT_WORDS[verdict]}`)
    .join(', ');
}

function collectionLines({ collections }: Report, screen: Screen): string[] {
  const failed = collections.filter(({ outcome }) => outcome === 'failed');
  if (failed.length === 0) return [];
  return [
    screen.style('bold', 'Could not look'),
    ...failed.flatMap(({ collector, privilege, reason = 'it did not say why' }) =>
      hang('- ', `${collector}: ${reason}. It needs ${privilege}.`, screen),
    ),
  ];
}

function priorityLines(report: Report, screen: Screen): string[] {
  const priorities = prioritiesOf(report);
  if (priorities.length === 0) return [];
  const rest = priorities.length - MAX_PRIORITIES;
  return [
    screen.style('bold', 'What to do first'),
    ...priorities.slice(0, MAX_PRIORITIES).flatMap((priority, index) => onePriority(priority, index + 1, screen)),
    ...(rest > 0 ? [`    and ${plural(rest, 'thing')} more, above`] : []),
  ];
}

function onePriority({ remedy, severity, results }: Priority, number: number, screen: Screen): string[] {
  const head = `${String(number).padStart(2)}. `;
  const ends = results.map((result) => `${result.check} ${headline(result)}`).join('; ');
  return [
    ...hang(head, remedy, screen),
    ...hang('    ', `${severity}: ${ends}`, screen).map((line) => screen.style('dim', line)),
  ];
}

function summaryLines(report: Report, screen: Screen): string[] {
  const { failed, unseen, profile, results } = report;
  const { words, styled } = scoreWords(report, screen);
  const count = (ids: readonly string[], noun: string, what: string): string[] =>
    ids.length === 0 ? [] : hang('', `${plural(ids.length, noun)} at or above ${profile.threshold}${what}.`, screen);
  return [
    ...hang(`${styled}  `, countWords(results), screen, words.length + 2),
    ...pointLines(report, screen),
    ...count(failed, 'failure', ''),
    ...count(unseen, 'check', ' could not be looked at'),
    ...waiverLines(report, screen),
  ];
}

function waiverLines(report: Report, screen: Screen): string[] {
  const critical = waivedCritical(report);
  const { waiversUnknown: reason } = report;
  return [
    ...(critical.length === 0
      ? []
      : hang('', `${plural(critical.length, 'critical failure')} waived: ${critical.join(', ')}.`, screen).map((line) =>
          screen.style('red', line),
        )),
    ...(reason === undefined
      ? []
      : hang('', `The audit log could not say what is waived, so nothing is: ${printable(reason)}.`, screen)),
  ];
}

function scoreWords({ score }: Report, { style }: Screen): { words: string; styled: string } {
  if (score.possible === 0) return { words: 'No score: nothing counted', styled: 'No score: nothing counted' };
  const colour = score.value >= GOOD_SCORE ? 'green' : score.value >= POOR_SCORE ? 'yellow' : 'red';
  const words = `${score.value} of 100`;
  return { words: `Score ${words}`, styled: `Score ${style(colour, style('bold', words))}` };
}

function pointLines({ score }: Report, screen: Screen): string[] {
  const parts = score.parts.filter(({ counted }) => counted > 0);
  if (parts.length === 0) return [];
  const sum = parts.map(({ severity, weight, counted, passed }) => `${severity} ${passed}/${counted} x ${weight}`);
  const text = `${score.earned} of ${score.possible} points: ${sum.join(', ')}`;
  const most =
    score.ceiling < 100 ? `; at most ${score.ceiling} while a critical promise is broken, waived or not seen` : '';
  return hang('', text + most, screen).map((line) => screen.style('dim', line));
}
