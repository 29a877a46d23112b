import type { Hex } from '../../../protocol/brand.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Forced } from '../account/forcing.ts';
import type { Dropped, DroppedTransaction } from '../derive/dropped.ts';
import type { CpuBudget } from '../evm/cpu-budget.ts';
import type { EvmCalls } from '../evm/evm-calls.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import type { Heads } from '../execute/heads.ts';
import type { LogIndex } from '../logs/log-index.ts';
import type { WithdrawalProof } from '../withdrawals/withdrawals.ts';
import type { PendingTransactions } from './pending-transactions.ts';

/** What the RPC consumes of the node. */
export interface RpcDeps {
  readonly database: ChainDatabase;
  /** Runs what clients want to try. */
  readonly evm: EvmCalls;
  /** Computing time of each caller, shared with the EVM; absent bounds nobody. */
  readonly budget?: CpuBudget;
  /** Longest work of one request on the node's own thread; as the EVM's. */
  readonly deadlineMs?: number;
  /** Finds logs without looking at every block. */
  readonly logIndex?: Pick<LogIndex, 'find' | 'next'>;
  readonly heads: () => Heads;
  /** The first block whose state is here; absent: the genesis. */
  readonly stateFrom?: () => bigint;
  /** Called after every change of the heads. Returns how to stop it. */
  readonly onHeads: (listener: (heads: Heads) => void) => () => void;
  readonly rules: Rules;
  readonly clientVersion: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Takes a signed transaction to the sequencer; resolves with its hash. Throws a NectarError that says why it is refused. */
  readonly submit: (raw: Uint8Array) => Promise<Hex>;
  /** Transactions on their way: on the sequencer its own pool, elsewhere what this node forwarded. */
  readonly pending: PendingTransactions;
  /** What the sequencer takes for the account's next nonce: asked while something is on its way. */
  readonly orderedNonce?: (address: Hex) => Promise<bigint>;
  /** The highest block known while the node does not follow the chain; undefined when it does. */
  readonly syncTarget?: () => bigint | undefined;
  readonly peerCount?: () => number;
  /** How far derivation is: JSON, added to nectar_syncStatus. */
  readonly syncStatus?: () => Promise<Record<string, unknown>> | Record<string, unknown>;
  /** The last things that a rule of derivation kept out of L2. */
  readonly dropped?: () => readonly Dropped[];
  /** By which batch a transaction was dropped; undefined when none did. */
  readonly findDropped?: (hash: Hex) => Promise<DroppedTransaction | undefined>;
  /** The number of the Inbox's message that holds a transaction, while no batch has read it. */
  readonly findInInbox?: (hash: Hex) => Promise<bigint | undefined>;
  /** What the node's own account sent and L1 has not confirmed. */
  readonly unconfirmed?: () => readonly Pick<Forced, 'hash' | 'state' | 'waiting'>[];
  /** Whether `pending` is the sequencer's own pool. */
  readonly isOrderedHere?: () => boolean;
  /** Why the sequencer will put a transaction into no block; undefined when it knows nothing of it. */
  readonly whyLost?: (hash: Hex) => Promise<string | undefined>;
  /** What proves a message from L2 to L1 there: JSON but for bigints; undefined while no confirmed assertion covers it. */
  readonly withdrawalProof?: (nonce: bigint) => Promise<WithdrawalProof | undefined>;
  /** Which batch on L1 holds an L2 block: JSON; undefined while none does. */
  readonly batchOf?: (blockNumber: bigint) => Promise<unknown>;
  /** A batch that L1 has, by its number: JSON; undefined when there is none. */
  readonly batch?: (sequenceNumber: bigint) => Promise<unknown>;
  readonly batches?: (which: { readonly newest: bigint | undefined; readonly count: number }) => Promise<unknown>;
}
