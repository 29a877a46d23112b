/** How the node stands in the registry, and until when (ISO 8601). */
export interface MembershipStanding {
  readonly status: string;
  readonly validUntil?: string;
  readonly endsAt?: string;
  readonly drainsUntil?: string;
  readonly appealUntil?: string;
  readonly appealedAt?: string;
}

export type ShownMembership = { -readonly [K in keyof MembershipStanding]: MembershipStanding[K] };

export function describeMembership(standing: MembershipStanding): ShownMembership {
  return { ...standing };
}
