import { APPEAL_WINDOW_S, DRAIN_PERIOD_S, GRACE_PERIOD_S } from '../../protocol/network/due-process.ts';

/** How a node stands with the network, and until when. Instants are ISO 8601. */
export interface MembershipStanding {
  /** Of the NodeRegistry, or `none`. */
  readonly status: string;
  /** The end of the attestation: by then an auditor must have passed the node again. */
  readonly validUntil?: string;
  /** The end of the membership, if none does. */
  readonly endsAt?: string;
  /** Until when a node that was voted out serves what it holds. */
  readonly drainsUntil?: string;
  /** Until when its owner may appeal; absent once that is done. */
  readonly appealUntil?: string;
  readonly appealedAt?: string;
}

/** What of an entry says so; seconds since 1970, 0 for never. */
export interface EntryTimes {
  readonly status: string;
  readonly validUntil: bigint;
  readonly ejectedAt: bigint;
  readonly appealedAt: bigint;
}

const MEMBERS = ['active', 'warned'];

export function standingOf(entry: EntryTimes | undefined): MembershipStanding {
  if (entry === undefined) return { status: 'none' };
  const { status, validUntil, ejectedAt, appealedAt } = entry;
  if (MEMBERS.includes(status))
    return { status, validUntil: instant(validUntil), endsAt: instant(validUntil + GRACE_PERIOD_S) };
  if (ejectedAt === 0n) return { status };
  return {
    status,
    ...(status === 'draining' && { drainsUntil: instant(ejectedAt + DRAIN_PERIOD_S) }),
    ...(appealedAt === 0n
      ? { appealUntil: instant(ejectedAt + APPEAL_WINDOW_S) }
      : { appealedAt: instant(appealedAt) }),
  };
}

function instant(seconds: bigint): string {
  return new Date(Number(seconds) * 1000).toISOString();
}
