import type { Audit, IssuedCheckpoint } from '../../audit/index.ts';
import type { Connection } from '../connection.ts';
import { append, checkpoint, consistency, latest, treeHead, witnessed } from './contract.ts';

/** The appending side of the audit log, reached over its socket. */
export interface AuditAppendClient
  extends Pick<Audit, 'append' | 'checkpoint' | 'consistency' | 'witnessed' | 'latest'> {
  treeHead(): Promise<ReturnType<Audit['treeHead']>>;
}

export function createAuditAppendClient(connection: Connection): AuditAppendClient {
  return {
    append: (event) => connection.unary(append, event),
    treeHead: () => connection.unary(treeHead, null),
    latest: () => connection.unary(latest, null),
    async witnessed(head) {
      await connection.unary(witnessed, head);
    },
    consistency: (from) => connection.unary(consistency, { from }),
    checkpoint: (): Promise<IssuedCheckpoint> => connection.unary(checkpoint, null),
  };
}
