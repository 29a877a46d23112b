import { Interface, toBeHex, toQuantity } from 'ethers';
import { RollupAbi } from '../../../contracts/generated/Rollup.ts';
import type { Hex } from '../../../protocol/brand.ts';
import type { Logger } from '../../telemetry/index.ts';
import { invalid } from '../l1/field.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';

const ROLLUP = new Interface([...RollupAbi]);
const WORD_BYTES = 32;
/** Without a change of the rivals, which mostly tells of an end. */
const READ_EVERY_MS = 600_000;

/** A stake that a challenge took, as a log of the Rollup has it. */
export interface EndedStake {
  readonly result: 'won' | 'lost';
  readonly loser: bigint;
  readonly winner: bigint;
  readonly transaction: Hex;
  readonly block: bigint;
}

/** How the challenges of an account's stakes ended. */
export interface StakeOutcomes {
  /** Stakes of opponents that a challenge took, one of this account's winning. */
  readonly won: number;
  /** Own stakes that a challenge took. */
  readonly lost: number;
}

interface EndLog {
  readonly topics?: readonly string[];
  readonly transactionHash?: string;
  readonly blockNumber?: string;
}

export interface OutcomesInView {
  /** Undefined until L1 has told them. */
  newest(): StakeOutcomes | undefined;
  /** Reads them anew when the number of rivals has changed, or after a while. Never throws: a count holds up no challenge. */
  look(rivals: number, signal: AbortSignal): Promise<void>;
}

export interface StakeOutcomesOptions {
  readonly rollup: Hex;
  /** The first L1 block that may hold a stake. */
  readonly firstL1Block: bigint;
  readonly owner: Hex;
}

export interface StakeOutcomesDeps {
  readonly rpc: JsonRpc;
  /** Told all of them at each read. */
  readonly onEnded?: (ends: readonly EndedStake[]) => void;
  readonly log: Logger;
  readonly now: () => number;
}

/** Counted in L1's logs, as an endpoint tells of them: nothing is remembered, so a restart or a reorg forgets nothing. */
export function createOutcomesInView(
  { rollup, firstL1Block, owner }: StakeOutcomesOptions,
  { rpc, log, now, onEnded }: StakeOutcomesDeps,
): OutcomesInView {
  let newest: StakeOutcomes | undefined;
  let readAt: { readonly rivals: number; readonly ms: number } | undefined;

  async function logs(topics: readonly unknown[], signal: AbortSignal): Promise<EndLog[]> {
    const filter = { address: rollup, topics, fromBlock: toQuantity(firstL1Block), toBlock: 'latest' };
    const found = await rpc.call('eth_getLogs', [filter], signal);
    if (!Array.isArray(found)) throw invalid('list of logs');
    return found;
  }

  async function read(signal: AbortSignal): Promise<StakeOutcomes> {
    const staked = await logs(ROLLUP.encodeFilterTopics('Staked', [null, owner]), signal);
    const own = staked.map(({ topics }) => toBeHex(BigInt(topics?.[1] ?? 0), WORD_BYTES));
    // An empty list would ask for the stakes of everybody.
    if (own.length === 0) return { won: 0, lost: 0 };
    const [event] = ROLLUP.encodeFilterTopics('StakeEliminated', []);
    const [lost, won] = [await logs([event, own], signal), await logs([event, null, own], signal)];
    onEnded?.([...lost.map((end) => endOf('lost', end)), ...won.map((end) => endOf('won', end))]);
    return { won: won.length, lost: lost.length };
  }

  return {
    newest: () => newest,
    async look(rivals, signal) {
      if (readAt !== undefined && readAt.rivals === rivals && now() - readAt.ms < READ_EVERY_MS) return;
      try {
        newest = await read(signal);
        readAt = { rivals, ms: now() };
      } catch (error) {
        log.debug({ err: error }, 'L1 does not say how challenges ended');
      }
    },
  };
}

function endOf(result: EndedStake['result'], { topics, transactionHash, blockNumber }: EndLog): EndedStake {
  const [loser, winner] = [BigInt(topics?.[1] ?? 0), BigInt(topics?.[2] ?? 0)];
  return { result, loser, winner, transaction: String(transactionHash) as Hex, block: BigInt(blockNumber ?? 0) };
}
