import { type Check, SEVERITIES, type Severity } from '../check.ts';
import { type FactId, factKind } from '../facts/index.ts';
import type { Finding, Verdict } from '../finding.ts';
import type { SubjectKind } from '../subject.ts';

/** Whose work a weakness is: the node's maker and owner, the machine's administrator, those who run the network around it. */
export const SIDES = ['node', 'host', 'network'] as const;
export type Side = (typeof SIDES)[number];

export interface Posture {
  readonly side: Side;
  readonly passed: number;
  readonly failed: number;
  readonly waived: number;
  readonly unseen: number;
  /** Of the worst failure; absent where nothing failed. */
  readonly worst?: Severity;
}

const HOST_KINDS: readonly SubjectKind[] = ['host', 'engine', 'cluster'];
const NETWORK_KINDS: readonly SubjectKind[] = ['network', 'listener'];
/** Facts of the node that tell of the rollup network and its other members. */
const NETWORK_FACTS: readonly FactId[] = [
  'node.development',
  'node.descriptorSigned',
  'node.membership',
  'node.attestationDaysLeft',
  'node.peers',
  'node.l1Synced',
  'node.l1Endpoints',
  'node.l1PlainHttp',
  'node.auditChain',
  'node.auditUnanchoredLeaves',
  'node.underReplicated',
];

interface Judged {
  readonly check: Check;
  readonly finding: Finding;
}

/** Node, host and network side by side, by every automated check there is: a profile that leaves one out hides nothing of it. */
export function postureOf(judged: readonly Judged[]): Posture[] {
  return SIDES.map((side) => sidePosture(side, judged));
}

function sidePosture(side: Side, judged: readonly Judged[]): Posture {
  const own = judged.filter(({ check }) => sideOf(check) === side);
  const count = (verdict: Verdict): number => own.filter(({ finding }) => finding.verdict === verdict).length;
  const worst = SEVERITIES.find((severity) =>
    own.some(({ check, finding }) => finding.verdict === 'fail' && check.severity === severity),
  );
  return {
    ...{ side, passed: count('pass'), failed: count('fail'), waived: count('waived'), unseen: count('error') },
    ...(worst !== undefined && { worst }),
  };
}

/** Undefined of a check that a person makes. */
function sideOf(check: Check): Side | undefined {
  if (check.mode === 'manual') return undefined;
  const { fact } = check.probe;
  if (HOST_KINDS.includes(factKind(fact))) return 'host';
  return NETWORK_KINDS.includes(factKind(fact)) || NETWORK_FACTS.includes(fact) ? 'network' : 'node';
}

/** `231 of 240 passed, 2 failed (worst: high), 7 not seen`. */
export function postureWords({ passed, failed, waived, unseen, worst }: Posture): string {
  const all = passed + failed + waived + unseen;
  if (all === 0) return 'nothing of it applies here';
  return [
    `${passed} of ${all} passed`,
    ...(failed > 0 ? [`${failed} failed${worst === undefined ? '' : ` (worst: ${worst})`}`] : []),
    ...(waived > 0 ? [`${waived} waived`] : []),
    ...(unseen > 0 ? [`${unseen} not seen`] : []),
  ].join(', ');
}
