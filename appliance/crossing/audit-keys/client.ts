import type { StoreEvidence } from '../../store/index.ts';
import { once } from '../collect.ts';
import type { Connection } from '../connection.ts';
import { pumped } from '../pumped.ts';
import { attend, hand, records } from './contract.ts';

export interface AuditKeysClient extends Pick<StoreEvidence, 'records'> {
  /** Hands the keys over and wipes them; resolves once the log has started with them. */
  hand(bodyKey: Uint8Array, checkpointKey: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Resolves or rejects when the process that has the keys is gone, at once when it has none. */
  attend(signal: AbortSignal): Promise<void>;
}

export function createAuditKeysClient(connection: Connection): AuditKeysClient {
  return {
    async hand(bodyKey, checkpointKey, signal) {
      const both = Buffer.concat([bodyKey, checkpointKey]);
      try {
        await connection.upload(hand, null, once(both), signal);
      } finally {
        for (const secret of [both, bodyKey, checkpointKey]) secret.fill(0);
      }
    },
    async attend(signal) {
      const gone = new AbortController();
      const either = AbortSignal.any([signal, gone.signal]);
      await connection.feed(attend, null, ({ holding }) => (holding ? undefined : gone.abort()), either);
    },
    records: (from, signal) => pumped((onItem, until) => connection.feed(records, { from }, onItem, until), signal),
  };
}
