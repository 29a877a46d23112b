import { Contract, ContractFactory, hexlify, JsonRpcProvider, Wallet } from 'ethers';
import { InboxAbi, InboxInitCode } from '../../../contracts/generated/Inbox.ts';
import { SequencerInboxAbi, SequencerInboxInitCode } from '../../../contracts/generated/SequencerInbox.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';

export interface L1Contracts {
  readonly inbox: Hex;
  readonly sequencerInbox: Hex;
  /** The block before the first of the two contracts: derivation starts after it. */
  readonly deployedAt: { readonly number: bigint; readonly hash: Hex };
}

export interface L1Transactor {
  readonly rpcUrl: string;
  /** secp256k1, 32 bytes. */
  readonly key: Uint8Array;
}

const POLL_MS = 100;

/** Deploys Inbox and SequencerInbox for the given sequencer account. */
export async function deployL1Contracts(
  rpcUrl: string,
  deployerKey: Uint8Array,
  options: { readonly sequencer: Hex },
): Promise<L1Contracts> {
  return withWallet({ rpcUrl, key: deployerKey }, async (wallet, provider) => {
    const before = await provider.getBlock('latest');
    const inbox = await new ContractFactory([...InboxAbi], InboxInitCode, wallet).deploy();
    const inboxAddress = await addressOf(inbox);
    const factory = new ContractFactory([...SequencerInboxAbi], SequencerInboxInitCode, wallet);
    const sequencerInbox = await addressOf(await factory.deploy(options.sequencer, inboxAddress));
    if (before?.hash == null) throw new NectarError('ROLLUP_L1_RESPONSE_INVALID', { what: 'latest block' });
    const deployedAt = { number: BigInt(before.number), hash: before.hash as Hex };
    return { inbox: inboxAddress, sequencerInbox, deployedAt };
  });
}

/** Deposits ETH from L1 to an L2 account. Resolves with the message's index once L1 has mined it. */
export async function depositEth(
  from: L1Transactor,
  deposit: { readonly inbox: Hex; readonly to: Hex; readonly amountWei: bigint },
): Promise<bigint> {
  return withWallet(from, async (wallet) => {
    const inbox = new Contract(deposit.inbox, [...InboxAbi], wallet);
    const sent = await inbox.getFunction('depositEth').send(deposit.to, { value: deposit.amountWei });
    const receipt = await sent.wait();
    const log = receipt?.logs.map((entry) => inbox.interface.parseLog(entry)).find((entry) => entry !== null);
    if (log == null) throw new NectarError('ROLLUP_L1_RESPONSE_INVALID', { what: 'deposit receipt' });
    return log.args.getValue('index') as bigint;
  });
}

async function withWallet<T>(
  from: L1Transactor,
  use: (wallet: Wallet, provider: JsonRpcProvider) => Promise<T>,
): Promise<T> {
  const provider = new JsonRpcProvider(from.rpcUrl, undefined, { staticNetwork: true, cacheTimeout: -1 });
  provider.pollingInterval = POLL_MS;
  try {
    return await use(new Wallet(hexlify(from.key), provider), provider);
  } finally {
    provider.destroy();
  }
}

async function addressOf(contract: {
  waitForDeployment(): Promise<unknown>;
  getAddress(): Promise<string>;
}): Promise<Hex> {
  await contract.waitForDeployment();
  return (await contract.getAddress()).toLowerCase() as Hex;
}
