export { type AuditorDesk, type AuditorDeskDeps, createAuditorDesk } from './auditor-desk.ts';
export { createKeepMembership } from './keep-membership.ts';
export { createMembership, type Membership, type MembershipDeps, membershipOf } from './membership.ts';
