/** Times and reasons of NodeRegistry's due process, as contracts/src/l2 has them; docs/design/0033. */

/** How long a member stays one after its attestation has ended, in seconds. */
export const GRACE_PERIOD_S = 7n * 86_400n;
/** How long a node that was voted out still serves what it holds, in seconds. */
export const DRAIN_PERIOD_S = 30n * 86_400n;
/** How long after that vote its owner may appeal, in seconds. */
export const APPEAL_WINDOW_S = 14n * 86_400n;
