import type { Target } from '../../check.ts';
import { fitnessSentence } from '../fitness.ts';
import { countVerdicts, type Report, type Result } from '../report.ts';
import { waiverWords } from '../terminal/result-lines.ts';
import { decisiveEvidence, evidenceWords, forTarget, TARGET_TITLES, TARGETS_IN_ORDER } from '../words.ts';
import { type Element, element, renderXml } from './xml.ts';

/**
 * The report as JUnit XML: a suite per target, a case per check. What was not seen is an error; what was not judged (manual, not
 * applicable, waived) is skipped and says why.
 */
export function renderJunit(report: Report): string {
  const { tool, profile, counts, results } = report;
  return renderXml(
    element(
      'testsuites',
      {
        name: `${tool.name} hardening, profile ${profile.name}`,
        tests: results.length,
        failures: counts.fail,
        errors: counts.error,
      },
      TARGETS_IN_ORDER.flatMap((target) => suite(report, target)),
    ),
  );
}

function suite({ results, node, createdAt, profile, fitness, score, digests }: Report, target: Target): Element[] {
  const own = results.filter((result) => result.target === target);
  if (own.length === 0) return [];
  const counts = countVerdicts(own);
  const properties = {
    profile: profile.name,
    threshold: profile.threshold,
    score: String(score.value),
    fitness: fitnessSentence(fitness),
    benchmarkSha256: digests.benchmark,
    factsSha256: digests.facts,
  };
  const attributes = {
    name: TARGET_TITLES[target],
    tests: own.length,
    failures: counts.fail,
    errors: counts.error,
    skipped: counts.manual + counts['not-applicable'] + counts.waived,
    timestamp: createdAt.slice(0, 19),
    hostname: node.id,
  };
  return [
    element('testsuite', attributes, [
      element(
        'properties',
        {},
        Object.entries(properties).map(([name, value]) => element('property', { name, value })),
      ),
      ...own.map((result) => testCase(result, node.target)),
    ]),
  ];
}

function testCase(result: Result, target: string): Element {
  const { check, title, evidence, fact } = result;
  const seen = evidence.map((one) => `${one.subject}: ${evidenceWords(fact, one)}`);
  const attributes = { classname: `hardening.${result.target}`, name: `${check} ${title}` };
  return element('testcase', attributes, [
    ...outcome(result, target),
    ...(seen.length === 0 ? [] : [element('system-out', {}, [seen.join('\n')])]),
  ]);
}

function outcome(result: Result, target: string): Element[] {
  const { verdict, severity, reason, fact, expected = '', remediation, see } = result;
  const bad = decisiveEvidence(result).map((one) => `${one.subject}: ${evidenceWords(fact, one)}`);
  const message = reason ?? `expected ${expected}; ${bad.join('; ')}`;
  switch (verdict) {
    case 'pass':
      return [];
    case 'fail': {
      const help = [
        message,
        `What to do: ${forTarget(remediation, target)}`,
        `See for yourself: ${forTarget(see, target)}`,
      ];
      return [element('failure', { type: severity, message }, [help.join('\n')])];
    }
    case 'error':
      return [element('error', { type: 'not seen', message })];
    case 'waived':
      return [element('skipped', { type: 'waived', message: waiverWords(result) })];
    case 'manual':
      return [element('skipped', { type: 'manual', message: `a person must look: ${forTarget(see, target)}` })];
    case 'not-applicable':
      return [element('skipped', { type: 'not applicable', message: reason ?? '' })];
  }
}
