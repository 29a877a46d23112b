/** How much gas a block may hold, so that making it costs no more than its share of the processor. */
export interface BlockBudget {
  /** Gas for the next block; at most the chain's limit. */
  gas(): bigint;
  /** Tells what the last block cost: thread CPU in milliseconds, for transactions of this much gas limit together. */
  spent(cpuMs: number, gas: bigint): void;
}

/** Below this a block would hold nothing but transfers: what is dear then comes alone. */
const MIN_GAS = 1_000_000n;
/** After a dear block the budget comes back in a few blocks, not in one. */
const GROWTH_NUMERATOR = 5n;
const GROWTH_DENOMINATOR = 4n;

/**
 * Gas is a poor measure of work: some opcodes cost ten times their gas in CPU, and every follower has to do the same work. What
 * blocks were measured to cost decides how much gas the next one gets: less in proportion when one was over, more by and by.
 */
export function createBlockBudget({ gasLimit, maxCpuMs }: { gasLimit: bigint; maxCpuMs: number }): BlockBudget {
  let budget = gasLimit;
  return {
    gas: () => budget,
    spent(cpuMs, gas) {
      if (cpuMs <= maxCpuMs) {
        const grown = (budget * GROWTH_NUMERATOR) / GROWTH_DENOMINATOR;
        budget = grown < gasLimit ? grown : gasLimit;
        return;
      }
      // Of the gas that was in the block, not of what might have been: a dear one may be a small one.
      const fitting = (gas * BigInt(Math.floor(maxCpuMs))) / BigInt(Math.ceil(cpuMs));
      if (fitting < budget) budget = fitting > MIN_GAS ? fitting : MIN_GAS;
    },
  };
}
