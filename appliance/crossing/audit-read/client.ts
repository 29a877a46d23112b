import type { Audit } from '../../audit/index.ts';
import { clientOf } from '../client-of.ts';
import type { Connection } from '../connection.ts';
import { type AuditState, auditRead } from './contract.ts';

/** The reading side of the audit log, reached over its socket. */
export interface AuditReadClient
  extends Pick<Audit, 'entry' | 'query' | 'export' | 'prove' | 'verify' | 'loggedTokens' | 'loggedNotes' | 'resolve'> {
  state(timeoutMs: number): Promise<AuditState>;
}

export function createAuditReadClient(connection: Connection): AuditReadClient {
  const client = clientOf(connection, auditRead);
  return {
    ...client,
    verify: ({ anchors, onProgress, signal }) => client.verify(anchors, (progress) => onProgress?.(progress), signal),
  };
}
