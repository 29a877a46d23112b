import { computeAddress, hexlify } from 'ethers';
import { createForcing, type Forcing } from './account/forcing.ts';
import type { OwnRpc } from './account/operator-account.ts';
import { createL1Sender } from './batcher/l1-sender.ts';
import type { PartsDeps, PartsOptions, RollupParts } from './rollup-parts.ts';

const FORCING_POLL_MS = 15_000;
const FORCING_RESEND_MS = 180_000;
/** The most that is offered for a unit of L1 gas: being heard is worth a bad hour, and not any price. */
const FORCING_MAX_FEE_WEI = 500_000_000_000n;

/** The operator's account is one address on both chains. */
export function createOwnForcing(
  { config, descriptor, operatorKey }: PartsOptions,
  { log, now }: Pick<PartsDeps, 'log' | 'now'>,
  {
    l1Rpc,
    store,
    executor,
    database,
    own,
  }: Pick<RollupParts, 'l1Rpc' | 'store' | 'executor' | 'database'> & {
    readonly own: OwnRpc;
  },
): Forcing {
  const { chainId, inbox, sequencerInbox, deployedAt } = descriptor.l1;
  const key = { key: operatorKey, chainId: BigInt(chainId), maxFeePerGasWei: FORCING_MAX_FEE_WEI };
  const address = computeAddress(hexlify(operatorKey));
  return createForcing(
    {
      inbox,
      sequencerInbox,
      firstL1Block: BigInt(deployedAt.number),
      forceAfterMs: config.forceAfterMs,
      pollMs: Math.min(FORCING_POLL_MS, config.forceAfterMs),
      resendMs: FORCING_RESEND_MS,
    },
    {
      sender: createL1Sender(key, l1Rpc),
      l1: l1Rpc,
      store,
      heads: () => executor.heads(),
      blockOf: async (hash) => (await database.transaction(hash))?.blockNumber,
      safeNonce: async () => BigInt((await own('eth_getTransactionCount', [address, 'safe'])) as string),
      log,
      now,
    },
  );
}
