import { computeAddress, hexlify } from 'ethers';
import { NectarError } from '../../protocol/errors.ts';
import type { NetworkDescriptor } from '../../protocol/network/descriptor.ts';
import type { L1Accounts } from './account/l1-accounts.ts';
import type { OperatorAccount } from './account/operator-account.ts';
import type { L1Sender } from './batcher/l1-sender.ts';
import type { RollupConfig } from './config.ts';
import type { Engine, Heads } from './derive/engine.ts';
import type { JsonRpc } from './l1/json-rpc.ts';
import type { OwnValidator } from './own-validator.ts';
import type { SentMessages } from './withdrawals/sent-messages.ts';
import { createWithdrawals, type Withdrawals } from './withdrawals/withdrawals.ts';

const GWEI = 1_000_000_000n;

/** The operator's account pays on both chains. */
export function createOwnWithdrawals(
  options: {
    readonly config: RollupConfig;
    readonly descriptor: Pick<NetworkDescriptor, 'l1'>;
    readonly operatorKey: Uint8Array;
  },
  { now }: { readonly now: () => number },
  parts: {
    readonly l1Rpc: JsonRpc;
    readonly accounts: L1Accounts;
    readonly engine: Engine;
    readonly messages: SentMessages;
    readonly account: OperatorAccount;
    readonly validator: OwnValidator;
    readonly heads: () => Heads;
  },
): Withdrawals {
  const { l1Rpc, accounts, engine, messages, account, validator, heads } = parts;
  const { outbox } = options.descriptor.l1;
  const maxFeePerGasWei = BigInt(options.config.validator.maxFeePerGasGwei) * GWEI;
  const sender = accounts.sender({ key: options.operatorKey, maxFeePerGasWei });
  return createWithdrawals({
    account,
    messages,
    heads,
    engine,
    book: validator.book,
    verdictOf: validator.verdictOf,
    confirmableAt: validator.calls.confirmableAt,
    l1: l1Rpc,
    sender: requireFunds(sender, computeAddress(hexlify(options.operatorKey)), l1Rpc),
    outbox,
    now,
  });
}

/** L1 does not say why it refuses an account without ETH: this does. */
function requireFunds(sender: L1Sender, address: string, l1: JsonRpc): L1Sender {
  return {
    ...sender,
    async send(call, signal) {
      const balance = BigInt(String(await l1.call('eth_getBalance', [address, 'latest'], signal)));
      if (balance === 0n) throw new NectarError('ROLLUP_ACCOUNT_FUNDS', { address: `${address} on L1` });
      return sender.send(call, signal);
    },
  };
}
