import type { Evidence } from '../../finding.ts';
import type { Report, Result } from '../report.ts';
import { decisiveEvidence } from '../words.ts';
import { sarifText } from './text.ts';

const MAX_LOCATIONS = 64;
/** Where a node is configured that was seen as it runs: no line of it is what was seen. */
const CONFIGURED: Readonly<Record<string, string>> = { kubernetes: 'values.yaml' };
const CONFIGURED_ELSEWHERE = 'config.json';
const STANDS_FOR_IT =
  'Seen on the running node, not in this file: it is where the node is configured, and stands for it.';

/**
 * Every subject that must change for a failure to end is a location of its one result (SARIF 2.1.0, 3.27.12). Each has a physical
 * location, and a result without a subject has one too: code scanning refuses a result that has none.
 */
export function sarifLocations(result: Result, node: Report['node']): object[] {
  const subjects = decisiveEvidence(result).slice(0, MAX_LOCATIONS);
  if (subjects.length === 0) return [configured(node)];
  return subjects.map((one) => ({ ...placeOf(one, node), ...logical(one, result.fact, node) }));
}

function placeOf({ source }: Evidence, node: Report['node']): object {
  return source === undefined ? configured(node) : { physicalLocation: physical(source.file, source.line) };
}

function configured({ target }: Report['node']): object {
  const known = Object.hasOwn(CONFIGURED, target) ? CONFIGURED[target] : undefined;
  return { physicalLocation: physical(known ?? CONFIGURED_ELSEWHERE, 1), message: { text: STANDS_FOR_IT } };
}

/** A relative reference (RFC 3986, 4.2): no name of a file becomes a scheme, a query or a way up. */
function physical(file: string, startLine: number): object {
  const segments = file
    .toWellFormed()
    .split('/')
    .filter((segment) => !['', '.', '..'].includes(segment));
  const uri = segments.map(encodeURIComponent).join('/') || CONFIGURED_ELSEWHERE;
  return { artifactLocation: { uri }, region: { startLine } };
}

function logical({ subject, holds }: Evidence, fact: string | undefined, node: Report['node']): object {
  const kind = fact?.split('.')[0] ?? 'node';
  const name = sarifText(subject);
  return {
    logicalLocations: [
      { name, fullyQualifiedName: `${sarifText(node.id)}/${sarifText(kind)}/${name}`, kind: 'resource' },
    ],
    properties: { holds },
  };
}
