import { createHash } from 'node:crypto';
import type { Verdict, Waiver } from '../../finding.ts';
import type { Report, Result } from '../report.ts';
import { decisiveEvidence, evidenceWords, headline } from '../words.ts';
import { sarifLocations } from './locations.ts';
import { LEVELS } from './rules.ts';
import { sarifText } from './text.ts';

/** `open`: there was too little to see to decide (SARIF 2.1.0, 3.27.9). A waived failure is one, with a suppression. */
const KINDS: Readonly<Record<Verdict, 'pass' | 'fail' | 'review' | 'notApplicable' | 'open'>> = {
  pass: 'pass',
  fail: 'fail',
  waived: 'fail',
  manual: 'review',
  'not-applicable': 'notApplicable',
  error: 'open',
};
const MAX_SUBJECTS_IN_TEXT = 5;

export function sarifResult(result: Result, ruleIndex: number, node: Report['node']): object {
  const { check, verdict, severity, waiver } = result;
  const kind = KINDS[verdict];
  const fails = kind === 'fail';
  return {
    ruleId: check,
    ruleIndex,
    kind,
    // Whatever is no failure has the level none (3.27.10).
    level: fails ? LEVELS[severity] : 'none',
    message: { text: messageText(result) },
    locations: sarifLocations(result, node),
    partialFingerprints: { 'nectarByonCheck/v1': fingerprint(node.id, check) },
    ...(fails ? { suppressions: verdict === 'waived' && waiver !== undefined ? [suppression(waiver)] : [] } : {}),
    properties: { verdict, severity },
  };
}

function messageText(result: Result): string {
  const { verdict, reason, fact, expected, evidence } = result;
  const title = headline(result);
  const decisive = decisiveEvidence(result);
  const seen = decisive
    .slice(0, MAX_SUBJECTS_IN_TEXT)
    .map((one) => `${one.subject}: ${evidenceWords(fact, one)}`)
    .join('; ');
  const more = decisive.length > MAX_SUBJECTS_IN_TEXT ? ` and ${decisive.length - MAX_SUBJECTS_IN_TEXT} more` : '';
  if (verdict === 'manual') return sarifText(`${title}: a person must look.`);
  if (evidence.length === 0) return sarifText(`${title}: ${reason ?? verdict}.`);
  return sarifText(`${title}: expected ${expected ?? ''}, seen ${seen}${more}.`);
}

function suppression({ owner, reason, until, since, auditLeaf }: Waiver): object {
  return {
    kind: 'external',
    status: 'accepted',
    justification: sarifText(`${reason} (${owner}, until ${until})`),
    properties: { owner, until, since, ...(auditLeaf === undefined ? {} : { auditLeaf }) },
  };
}

/** The same failure of the same node is the same in every report. */
function fingerprint(node: string, check: string): string {
  return createHash('sha256')
    .update(JSON.stringify([node, check]))
    .digest('hex');
}

/** What could not be looked at, as a whole: whoever reads only the results must not take it for seen. */
export function sarifNotifications({ collections }: Report): object[] {
  return collections
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ collector, reason = '', privilege }) => ({
      level: 'error',
      message: { text: sarifText(`${collector} could not look: ${reason}. It needs ${privilege}.`) },
    }));
}
