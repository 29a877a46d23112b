/** Times and reasons of NodeRegistry's due process, as contracts/src/l2 has them; docs/design/0033. */

/** How long a member stays one after its attestation has ended, in seconds. */
export const GRACE_PERIOD_S = 7n * 86_400n;
/** How long a node that was voted out still serves what it holds, in seconds. */
export const DRAIN_PERIOD_S = 30n * 86_400n;
/** How long after that vote its owner may appeal, in seconds. */
export const APPEAL_WINDOW_S = 14n * 86_400n;

/** Reason codes of warnings, suspensions and ejections. The contract knows the first alone: it puts a node out at once. */
export const AUDIT_REASONS = {
  /** Active harm: the node attacks others, or its key is in foreign hands. */
  harm: 1,
  /** Its hardening report fails. */
  report: 2,
  /** It shows no evidence. */
  'no-evidence': 3,
  /** Its evidence is not what its log or its anchors say. */
  'false-evidence': 4,
  /** Two stories of its audit log. */
  'split-log': 5,
  /** It does not hold what it said it holds. */
  'lost-data': 6,
  /** Something else, which the evidence says. */
  other: 7,
} as const;
export type AuditReason = keyof typeof AUDIT_REASONS;
