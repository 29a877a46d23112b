import type { MembershipStanding, NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import type { Check } from '../preflight.ts';
import type { Output } from './output.ts';
import { formatDuration } from './quantities.ts';
import { printable } from './table.ts';

const DAY_MS = 86_400_000;
/** Days before the end of the attestation at which it is told: from here on, again, and for the last time. */
const LAPSE_WARNING_DAYS = { notice: 30, soon: 7, last: 1 } as const;
const ASK = 'ask an auditor of the network for the audit: docs/network/owners.md, "When the attestation ends"';

type Lapse = 'fine' | 'notice' | 'soon' | 'last' | 'over';

/** How near the end of a member's attestation is. */
export function lapseOf({ validUntil }: MembershipStanding, now: number): Lapse {
  if (validUntil === undefined) return 'fine';
  const days = (Date.parse(validUntil) - now) / DAY_MS;
  if (days < 0) return 'over';
  if (days < LAPSE_WARNING_DAYS.last) return 'last';
  if (days < LAPSE_WARNING_DAYS.soon) return 'soon';
  return days < LAPSE_WARNING_DAYS.notice ? 'notice' : 'fine';
}

/** One line: the status, and until when. */
export function describeStanding(standing: MembershipStanding, now: number): string {
  const { status, validUntil, endsAt, drainsUntil, appealUntil, appealedAt } = standing;
  const parts = [printable(status)];
  const left = (end: string): string => formatDuration(Math.max(0, Date.parse(end) - now));
  if (validUntil !== undefined && endsAt !== undefined) {
    const day = validUntil.slice(0, 10);
    const lapse = lapseOf(standing, now);
    if (lapse === 'over') parts.push(`its attestation ended on ${day}: out in ${left(endsAt)}`);
    else if (lapse === 'fine') parts.push(`attested until ${day}`);
    else parts.push(`its attestation ends in ${left(validUntil)}, on ${day}`);
  }
  if (drainsUntil !== undefined) parts.push(`serves what it holds until ${drainsUntil.slice(0, 10)}`);
  if (appealedAt !== undefined) parts.push(`appealed on ${appealedAt.slice(0, 10)}`);
  else if (appealUntil !== undefined && Date.parse(appealUntil) > now)
    parts.push(`an appeal is possible until ${appealUntil.slice(0, 10)}`);
  return parts.join('; ');
}

/** The line of `status`; nothing where the registry was not read. */
export function membershipLines({ membership }: NodeStatus, now: number, style: Output['style']): [string, string][] {
  if (membership === undefined || membership === null) return [];
  const text = describeStanding(membership, now);
  const lapse = lapseOf(membership, now);
  const isOut = ['suspended', 'draining', 'ejected'].includes(membership.status);
  if (isOut || lapse === 'last' || lapse === 'over') return [['membership', style('red', text)]];
  const isYellow = lapse !== 'fine' || membership.status === 'warned';
  return [['membership', isYellow ? style('yellow', text) : text]];
}

/** For `doctor`: a member whose attestation ends, or who was warned. */
export function gradeStanding(standing: MembershipStanding, now: number): Check {
  const value = describeStanding(standing, now);
  const lapse = lapseOf(standing, now);
  if (lapse === 'last' || lapse === 'over') return { name: 'membership', value, grade: 'bad', advice: ASK };
  if (lapse !== 'fine') return { name: 'membership', value, grade: 'poor', advice: ASK };
  if (standing.status === 'warned') return { name: 'membership', value, grade: 'poor', advice: ASK };
  return { name: 'membership', value, grade: 'good' };
}
