import { newAuthority } from '../crossings/authority-folder.ts';
import { type CrossingAuthority, issueRoleCertificate, type RoleCertificate } from '../crossings/crossing-authority.ts';
import { CLUSTER_ROLES, type ClusterRole } from './release-labels.ts';

const DAY_MS = 86_400_000;

/** What a role shows at its crossings, as PEM, and whom it believes. */
export interface CrossingPair extends RoleCertificate {
  readonly authority: string;
}

export type CrossingPairs = Readonly<Record<ClusterRole, CrossingPair>>;

export interface PairsRequest {
  readonly instance: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly days: number;
}

/** A pair for each role from the authority of its node, whose only name is the role's in it; `trusted` is PEM of all that they believe. */
export async function issueCrossingPairs(
  { current, trusted }: { readonly current: CrossingAuthority; readonly trusted: string },
  { instance, now, days }: PairsRequest,
): Promise<CrossingPairs> {
  const life = { now, notAfter: now + days * DAY_MS };
  const issue = async (role: ClusterRole): Promise<CrossingPair> => ({
    ...(await issueRoleCertificate(current, { role, instance }, life)),
    authority: trusted,
  });
  const pairs = await Promise.all(CLUSTER_ROLES.map(async (role) => [role, await issue(role)] as const));
  return Object.fromEntries(pairs) as Record<ClusterRole, CrossingPair>;
}

/** One authority for the crossings of a new node, and pairs of it. Its key is for whoever renews them: no role needs it. */
export async function createCrossingPairs(
  request: PairsRequest,
): Promise<{ readonly authority: CrossingAuthority; readonly pairs: CrossingPairs }> {
  const authority = await newAuthority(request.instance, request.now);
  const pairs = await issueCrossingPairs({ current: authority, trusted: authority.certificate }, request);
  return { authority, pairs };
}
