import type { Audit } from '../../audit/index.ts';
import { clientOf } from '../client-of.ts';
import type { Connection } from '../connection.ts';
import { auditAppend } from './contract.ts';

/** The appending side of the audit log, reached over its socket. */
export interface AuditAppendClient
  extends Pick<Audit, 'append' | 'checkpoint' | 'consistency' | 'latest' | 'witnessed' | 'chainHeard'> {
  treeHead(): Promise<ReturnType<Audit['treeHead']>>;
}

export function createAuditAppendClient(connection: Connection): AuditAppendClient {
  return clientOf(connection, auditAppend);
}
