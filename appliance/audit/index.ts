export { type Audit, type AuditDeps, type AuditOptions, createAudit } from './audit.ts';
export type { CheckpointSigner, IssuedCheckpoint } from './checkpoints.ts';
export { type AuditConfig, auditConfig } from './config.ts';
export type { AccessContext, AuditInput } from './event.ts';
export type { FileGenerations } from './generations.ts';
export type { LoggedToken } from './generations-fold.ts';
export { type AuditPage, type AuditQuery, MAX_PAGE_ENTRIES } from './query.ts';
export type { AuditEntry } from './reader.ts';
export { type AuditAnchor, type AuditVerdict, type VerifyFolderOptions, verifyAuditFolder } from './verify-folder.ts';
