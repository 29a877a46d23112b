import type { Severity } from '../../check.ts';
import type { Reference } from '../../standard.ts';
import type { Result } from '../report.ts';
import { expectedWords, forTarget } from '../words.ts';
import { sarifText } from './text.ts';

/** SARIF has three levels; who reads the four severities finds them in the properties. */
export const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
};

/** A number from 0 to 10 by which code hosts sort security findings: the middle of each severity's band in CVSS. */
const SECURITY_SEVERITY: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '2.0',
};

export interface Taxonomy {
  readonly name: string;
  readonly version: string;
  readonly taxa: readonly { readonly id: string; readonly shortDescription: { readonly text: string } }[];
}

/** The standards that the checks refer to, each with the clauses that they bear on. */
export function sarifTaxonomies(results: readonly Result[]): Taxonomy[] {
  const standards = Map.groupBy(
    results.flatMap(({ refs }) => refs),
    ({ standard, version }) => JSON.stringify([standard, version]),
  );
  return [...standards.values()].map((refs) => ({
    name: refs[0]?.standard ?? '',
    version: refs[0]?.version ?? '',
    taxa: [...new Map(refs.map((ref) => [ref.clause, ref])).values()].map(({ clause, title }) => ({
      id: clause,
      shortDescription: { text: sarifText(title) },
    })),
  }));
}

export function sarifRule(result: Result, target: string, taxonomies: readonly Taxonomy[]): object {
  const { check, title, rationale, severity, remediation, see, refs } = result;
  const help = [
    rationale,
    expectedWords(result),
    `What to do: ${forTarget(remediation, target)}`,
    `See for yourself: ${forTarget(see, target)}`,
  ];
  return {
    id: check,
    shortDescription: { text: sarifText(title) },
    fullDescription: { text: sarifText(rationale) },
    help: { text: help.map(sarifText).join('\n\n') },
    defaultConfiguration: { level: LEVELS[severity] },
    relationships: relationships(refs, taxonomies),
    properties: {
      tags: ['security', result.target, result.mode],
      severity,
      'security-severity': SECURITY_SEVERITY[severity],
    },
  };
}

/** One a clause: SARIF takes no two that are the same, and two references may name one clause under two titles. */
function relationships(refs: readonly Reference[], taxonomies: readonly Taxonomy[]): object[] {
  const clauses = new Map<string, object>();
  for (const { standard, version, clause } of refs) {
    const index = taxonomies.findIndex((taxonomy) => taxonomy.name === standard && taxonomy.version === version);
    if (index < 0) continue;
    const target = { id: clause, toolComponent: { name: standard, index } };
    clauses.set(`${index} ${clause}`, { target, kinds: ['relevant'] });
  }
  return [...clauses.values()];
}
