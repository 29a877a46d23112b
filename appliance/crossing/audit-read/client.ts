import type { Audit } from '../../audit/index.ts';
import type { Connection } from '../connection.ts';
import {
  type AuditState,
  entry,
  exportEntries,
  loggedTokens,
  prove,
  query,
  resolve,
  state,
  verify,
} from './contract.ts';

/** The reading side of the audit log, reached over its socket. */
export interface AuditReadClient
  extends Pick<Audit, 'entry' | 'query' | 'export' | 'prove' | 'verify' | 'loggedTokens' | 'resolve'> {
  state(timeoutMs: number): Promise<AuditState>;
}

export function createAuditReadClient(connection: Connection): AuditReadClient {
  return {
    state: (timeoutMs) => connection.unary(state, null, { timeoutMs }),
    entry: (index, context) => connection.unary(entry, { index, context }),
    query: (asked, context, signal) =>
      connection.unary(query, { query: asked, context }, signal === undefined ? {} : { signal }),
    export: async (request, context, signal) =>
      (await connection.download(exportEntries, { request, context }, signal)).body,
    prove: (index, context) => connection.unary(prove, context === undefined ? { index } : { index, context }),
    resolve: (request) => connection.unary(resolve, request),
    loggedTokens: () => connection.unary(loggedTokens, null),
    verify: ({ anchors, onProgress, signal }) =>
      connection.feed(verify, { anchors }, (progress) => onProgress?.(progress), signal),
  };
}
