import type { StoreEvidence } from '../../store/index.ts';
import { clientOf } from '../client-of.ts';
import type { Connection } from '../connection.ts';
import { auditKeys } from './contract.ts';

export interface AuditKeysClient extends Pick<StoreEvidence, 'records'> {
  /** Hands the keys over and wipes them; resolves once the log has started with them. */
  hand(bodyKey: Uint8Array, checkpointKey: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Resolves or rejects when the process that has the keys is gone, at once when it has none. */
  attend(signal: AbortSignal): Promise<void>;
}

export function createAuditKeysClient(connection: Connection): AuditKeysClient {
  const client = clientOf(connection, auditKeys);
  return {
    records: client.records,
    async hand(bodyKey, checkpointKey, signal) {
      const both = Buffer.concat([bodyKey, checkpointKey]);
      try {
        await client.hand(both, signal);
      } finally {
        for (const bytes of [both, bodyKey, checkpointKey]) bytes.fill(0);
      }
    },
    attend(signal) {
      const gone = new AbortController();
      const either = AbortSignal.any([signal, gone.signal]);
      return client.attend(({ holding }) => (holding ? undefined : gone.abort()), either);
    },
  };
}
