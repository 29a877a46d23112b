import { computeAddress, hexlify } from 'ethers';
import type { NetworkDescriptor } from '../../protocol/network/descriptor.ts';
import type { Logger } from '../telemetry/index.ts';
import { createForcing, type Forcing } from './account/forcing.ts';
import type { L1Accounts } from './account/l1-accounts.ts';
import type { OwnRpc } from './account/operator-account.ts';
import type { RollupConfig } from './config.ts';
import type { DeriveStore } from './derive/derive-store.ts';
import type { Engine } from './derive/engine.ts';
import type { JsonRpc } from './l1/json-rpc.ts';

const FORCING_POLL_MS = 15_000;
const FORCING_RESEND_MS = 180_000;
/** The most that is offered for a unit of L1 gas: being heard is worth a bad hour, and not any price. */
const FORCING_MAX_FEE_WEI = 500_000_000_000n;

export interface OwnForcingOptions {
  readonly config: RollupConfig;
  readonly descriptor: Pick<NetworkDescriptor, 'l1'>;
  readonly operatorKey: Uint8Array;
}

/** What forcing consumes of the node. */
export interface OwnForcingParts {
  readonly l1Rpc: JsonRpc;
  readonly accounts: L1Accounts;
  readonly store: DeriveStore;
  readonly engine: Engine;
  readonly own: OwnRpc;
}

/** The operator's account is one address on both chains. */
export function createOwnForcing(
  { config, descriptor, operatorKey }: OwnForcingOptions,
  { log, now }: { readonly log: Logger; readonly now: () => number },
  { l1Rpc, accounts, store, engine, own }: OwnForcingParts,
): Forcing {
  const { inbox, sequencerInbox, deployedAt } = descriptor.l1;
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
      sender: accounts.sender({ key: operatorKey, maxFeePerGasWei: FORCING_MAX_FEE_WEI }),
      l1: l1Rpc,
      store,
      records: engine,
      nonceAt: async (head) => BigInt((await own('eth_getTransactionCount', [address, head])) as string),
      baseFeeWei: async () => {
        const head = (await own('eth_getBlockByNumber', ['safe', false])) as { readonly baseFeePerGas: string };
        return BigInt(head.baseFeePerGas);
      },
      log,
      now,
    },
  );
}
