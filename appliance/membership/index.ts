export { createMembership, type Membership, type MembershipDeps, membershipOf } from './membership.ts';
