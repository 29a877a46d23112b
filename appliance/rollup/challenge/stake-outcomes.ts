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

/** How the challenges of an account's stakes ended. */
export interface StakeOutcomes {
  /** Stakes of opponents that a challenge took, one of this account's winning. */
  readonly won: number;
  /** Own stakes that a challenge took. */
  readonly lost: number;
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
  readonly log: Logger;
  readonly now: () => number;
}

/** Counted in L1's logs, as an endpoint tells of them: nothing is remembered, so a restart or a reorg forgets nothing. */
export function createOutcomesInView(
  { rollup, firstL1Block, owner }: StakeOutcomesOptions,
  { rpc, log, now }: StakeOutcomesDeps,
): OutcomesInView {
  let newest: StakeOutcomes | undefined;
  let readAt: { readonly rivals: number; readonly ms: number } | undefined;

  async function logs(topics: readonly unknown[], signal: AbortSignal): Promise<{ topics?: readonly string[] }[]> {
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
