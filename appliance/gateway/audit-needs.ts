import type { RootHash } from '../../protocol/brand.ts';
import type { AuditFilter } from '../../protocol/merkle/audit-filter.ts';
import type { AccessContext, GatewayAuditEvent } from './audit-event.ts';

/** What the gateway needs of the audit log. */

export interface AuditAnchor {
  readonly size: number;
  readonly root: RootHash;
  readonly where: string;
  /** When it was anchored, milliseconds. */
  readonly at?: number;
}

/** A successor epoch of the log, with what it declares lost. */
export interface DeclaredGap {
  readonly number: number;
  readonly start: number;
  readonly origin: string;
  /** Milliseconds. */
  readonly at: number;
  readonly cause: 'restore' | 'resolve';
  readonly from: number;
  readonly outside?: { readonly size: number; readonly root: RootHash; readonly where: string };
  readonly lost?: number;
}

export interface GatewayAuditVerdict {
  readonly integrity: string;
  readonly completeness: string;
  readonly size: number;
}

export interface GatewayAuditQuery {
  readonly filter: AuditFilter;
  readonly records?: readonly string[];
  readonly limit: number;
  readonly after?: number;
  readonly cursor?: string;
}

export interface GatewayAuditExport {
  readonly filter: AuditFilter;
  readonly records?: readonly string[];
  readonly bodies: boolean;
  readonly allLeaves: boolean;
  readonly anchors: readonly AuditAnchor[];
}

export interface GatewayAuditPage {
  readonly entries: readonly object[];
  readonly cursor?: string;
  readonly from: number;
  readonly to: number;
  readonly undecided: number;
}

/** The newest leaf of a kind and subject that tells of hardening reports or backups. */
export interface LoggedNote {
  /** Of the leaf. */
  readonly index: number;
  readonly type: string;
  readonly time: string;
  readonly outcome: 'success' | 'failure';
  readonly detail: Readonly<Record<string, string>>;
}

export interface GatewayAudit {
  append(event: GatewayAuditEvent): Promise<{ index: number }>;
  /** Oldest first. */
  loggedNotes(): Promise<readonly LoggedNote[]>;
  checkpoint(): Promise<{ origin: string; size: number; root: RootHash; note: string }>;
  entry(index: number, context: AccessContext): Promise<object>;
  /** One leaf says of the whole reading what was asked, before its first page. */
  query(query: GatewayAuditQuery, context: AccessContext, signal: AbortSignal): Promise<GatewayAuditPage>;
  /** Lines of a bundle; what they show is in the log before the first one. */
  export(request: GatewayAuditExport, context: AccessContext, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** With a context the proof shows the body, and that is logged; without one it shows none. */
  prove(index: number, context?: AccessContext): Promise<object>;
  verify(options: { anchors: readonly AuditAnchor[]; signal: AbortSignal }): Promise<GatewayAuditVerdict>;
  /** Declares what is missing lost, and begins a successor epoch; on record in the log itself. */
  resolve(request: {
    context: AccessContext;
    told?: readonly { note: string; where: string; at: number }[];
  }): Promise<DeclaredGap>;
}
