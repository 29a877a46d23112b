import type { Logger } from '../telemetry/index.ts';
import type { RollupConfig } from './config.ts';
import type { ChainDatabase } from './execute/chain-database.ts';
import type { Executor } from './execute/executor.ts';
import type { OwnValidator } from './own-validator.ts';
import { createPruner, type Pruner } from './prune/pruner.ts';
import { SNAPSHOT_RECORD } from './snapshot/import-snapshot.ts';
import type { SentMessages } from './withdrawals/sent-messages.ts';

/** The pruner of this node. Nothing goes that an assertion, a withdrawal or a snapshot still needs. */
export function createOwnPruner(
  { config }: { readonly config: RollupConfig },
  { log, onStateFloor }: { readonly log: Logger; readonly onStateFloor: (floor: bigint) => void },
  parts: {
    readonly database: ChainDatabase;
    readonly executor: Executor;
    readonly messages: SentMessages;
    readonly validator: OwnValidator;
  },
): Pruner {
  const { database, executor, messages, validator } = parts;
  return createPruner(config, {
    database,
    executor,
    confirmed() {
      const { latestConfirmed } = validator.book();
      const verdict = latestConfirmed && validator.verdictOf(latestConfirmed);
      return verdict?.kind === 'right' ? verdict.block : undefined;
    },
    async historyFrom() {
      const bytes = await executor.record(SNAPSHOT_RECORD);
      return bytes === undefined ? 0n : BigInt(Buffer.from(bytes).toString());
    },
    prepare: messages.rememberTo,
    onFloor: onStateFloor,
    log,
  });
}
