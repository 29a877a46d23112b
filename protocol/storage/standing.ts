/**
 * What audits make of a holder: a beta reputation that forgets (Josang and Ismail 2002; Storj's, with its lambda and its limit).
 * Results older than twenty hardly count. A wrong leaf is proof that bytes are gone, and weighs as four silences: three of them end the
 * trust, as in docs/design/0027; silence does so after ten days without one answer.
 */

/** A wrong leaf, or "no such shard", is `wrong`; no answer to a question in all its repetitions is `silent`. */
export type AuditResult = 'passed' | 'silent' | 'wrong';

export interface Standing {
  readonly alpha: number;
  readonly beta: number;
  /** Audits that it has passed ever. */
  readonly passed: number;
}

/** How much of what was known stays at each result. */
const MEMORY = 0.95;
const WEIGHT: Readonly<Record<AuditResult, number>> = { passed: 1, silent: 1, wrong: 4 };
/** Below it a holder is given nothing new. */
const SUSPENDED_BELOW = 0.6;
/** Audits to pass before a holder is given its full part. */
const VETTED_AT = 100;

/** As one of which only good is remembered: with less, the first days of silence would suspend it. What it gets is bounded until it is vetted. */
export const NEW_STANDING: Standing = { alpha: 1 / (1 - MEMORY), beta: 0, passed: 0 };

/** The standing after an audit. */
export function afterAudit({ alpha, beta, passed }: Standing, result: AuditResult): Standing {
  let [good, bad] = [alpha, beta];
  for (let turn = 0; turn < WEIGHT[result]; turn++) {
    good = MEMORY * good + (result === 'passed' ? 1 : 0);
    bad = MEMORY * bad + (result === 'passed' ? 0 : 1);
  }
  return { alpha: good, beta: bad, passed: passed + (result === 'passed' ? 1 : 0) };
}

/** From 0 to 1. */
export function scoreOf({ alpha, beta }: Standing): number {
  return alpha / (alpha + beta);
}

/** Nothing new is placed there; what it holds is read, audited and paid as far as it is proved. */
export function isSuspended(standing: Standing): boolean {
  return scoreOf(standing) < SUSPENDED_BELOW;
}

export function isVetted({ passed }: Standing): boolean {
  return passed >= VETTED_AT;
}
