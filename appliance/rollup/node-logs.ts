import { createHmac } from 'node:crypto';
import type { Logger } from '../telemetry/index.ts';
import type { ChainDatabase } from './execute/chain-database.ts';
import type { Executor } from './execute/executor.ts';
import { createLogIndex, type LogIndex } from './logs/log-index.ts';
import { createLogIndexer, type LogIndexer } from './logs/log-indexer.ts';
import { createFingerprint } from './logs/log-items.ts';

/** The index of logs, and what keeps it in step with the chain. */
export interface NodeLogs extends LogIndexer {
  readonly index: LogIndex;
}

export function createNodeLogs(
  { databaseKey }: { readonly databaseKey: Uint8Array },
  { log, now }: { readonly log: Logger; readonly now: () => number },
  { executor, database }: { readonly executor: Executor; readonly database: ChainDatabase },
): NodeLogs {
  const fingerprint = createFingerprint(createHmac('sha256', databaseKey).update('nectar rollup log index').digest());
  const index = createLogIndex({ database, fingerprint, putRecords: (records) => executor.putRecords(records) });
  const indexer = createLogIndexer({
    index,
    fingerprint,
    database,
    heads: () => executor.heads(),
    onHeads: (listener) => executor.onHeads(listener),
    log,
    now,
  });
  return { index, run: (signal) => indexer.run(signal) };
}
