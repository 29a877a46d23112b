import {
  createCrossingAuthority,
  issueRoleCertificate,
  type RoleCertificate,
} from '../crossings/crossing-authority.ts';
import { CLUSTER_ROLES, type ClusterRole } from './release-labels.ts';

const DAY_MS = 86_400_000;

/** What a role shows at its crossings, as PEM, and whom it believes. */
export interface CrossingPair extends RoleCertificate {
  readonly authority: string;
}

/**
 * One authority for this node's crossings, and a pair for each role, whose only name is the role's in this node. The authority's key
 * is kept nowhere: what renews the pairs makes a new one.
 */
export async function issueCrossingPairs(
  instance: string,
  { now, days }: { readonly now: number; readonly days: number },
): Promise<Record<ClusterRole, CrossingPair>> {
  const life = { now, notAfter: now + days * DAY_MS };
  const authority = await createCrossingAuthority(instance, life);
  const issue = async (role: ClusterRole): Promise<CrossingPair> => ({
    ...(await issueRoleCertificate(authority, { role, instance }, life)),
    authority: authority.certificate,
  });
  const pairs = await Promise.all(CLUSTER_ROLES.map(async (role) => [role, await issue(role)] as const));
  return Object.fromEntries(pairs) as Record<ClusterRole, CrossingPair>;
}
