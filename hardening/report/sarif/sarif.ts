import { fitnessSentence } from '../fitness.ts';
import type { Report } from '../report.ts';
import { type Selection, selected } from '../selection.ts';
import { sarifNotifications, sarifResult } from './results.ts';
import { sarifRule, sarifTaxonomies } from './rules.ts';
import { sarifText } from './text.ts';

/** Static Analysis Results Interchange Format 2.1.0, an OASIS standard. */
const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

/**
 * The report as SARIF: one run, a rule and a result per check, so that the counts are those of the report. Code scanning shows each
 * result as an alert, whatever its kind and whoever waived it: for it there is the part of the report that is wanted there.
 */
export function renderSarif(report: Report, only?: Selection): string {
  const { results } = selected(report, only);
  const { tool, node, profile, fitness, posture, score, digests, createdAt, collectedAt } = report;
  const taxonomies = sarifTaxonomies(results);
  const run = {
    tool: {
      driver: {
        name: tool.name,
        version: tool.version,
        rules: results.map((result) => sarifRule(result, node.target, taxonomies)),
        supportedTaxonomies: taxonomies.map(({ name }, index) => ({ name, index })),
      },
    },
    automationDetails: {
      id: `harden/${encodeURIComponent(node.id.toWellFormed())}/${encodeURIComponent(profile.name.toWellFormed())}/`,
      description: { text: sarifText(`Hardening report of node ${node.id} by the profile ${profile.name}`) },
    },
    invocations: [
      {
        executionSuccessful: report.collections.every(({ outcome }) => outcome !== 'failed'),
        startTimeUtc: collectedAt,
        endTimeUtc: createdAt,
        toolExecutionNotifications: sarifNotifications(report),
      },
    ],
    columnKind: 'utf16CodeUnits',
    results: results.map((result, index) => sarifResult(result, index, node)),
    taxonomies,
    properties: {
      fitForPatientData: fitness.fit,
      fitness: sarifText(fitnessSentence(fitness)),
      posture,
      ...(only !== undefined && { only }),
      counts: report.counts,
      score: score.value,
      threshold: profile.threshold,
      node,
      digests,
    },
  };
  return `${JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [run] }, null, 2)}\n`;
}
