export { createMembership, type Membership, type MembershipDeps } from './membership.ts';
