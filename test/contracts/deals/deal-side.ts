import { Contract, ContractFactory, hexlify, JsonRpcProvider, SigningKey, toBeHex, Wallet } from 'ethers';
import { StorageDealsAbi, StorageDealsInitCode } from '../../../contracts/generated/StorageDeals.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { PREDEPLOYS } from '../../../protocol/rollup/genesis.ts';
import { auditPlaces } from '../../../protocol/storage/audit.ts';
import {
  type DealSet,
  type DealTerms,
  dealId,
  dealSetHash,
  dealSetOf,
  termsHash,
} from '../../../protocol/storage/deal.ts';
import { createShardSet, locateLeaf, type ShardSet, shardSetPath } from '../../../protocol/storage/shard-set.ts';
import { QUESTIONS } from '../../model/deals/deal-state.ts';
import { disk } from '../../unit/protocol/storage/storage-fixture.ts';

const GAS = 8_000_000n;
/** Shards of the holder, in leaves: one of a part of a piece, of a whole one, of several. */
const SHARDS = [3, 64, 65, 200, 1];
const ZERO: Hex = `0x${'00'.repeat(20)}`;

export type DealSide = Awaited<ReturnType<typeof createDealSide>>;

/** StorageDeals at its address on a development chain, two accounts that sign, and shards that the holder has. */
export async function createDealSide(rpcUrl: string, key: Uint8Array, seed: number) {
  const provider = new JsonRpcProvider(rpcUrl, undefined, { staticNetwork: true, cacheTimeout: -1 });
  provider.pollingInterval = 10;
  const sender = new Wallet(hexlify(key), provider);
  const made = await new ContractFactory([...StorageDealsAbi], StorageDealsInitCode, sender).deploy();
  await made.waitForDeployment();
  // The contract makes its domain anew where its address is another one.
  await provider.send('anvil_setCode', [PREDEPLOYS.storageDeals, await provider.getCode(await made.getAddress())]);
  await provider.send('anvil_autoImpersonateAccount', [true]);
  const { chainId } = await provider.getNetwork();
  const keys = {
    owner: new SigningKey(toBeHex(10 * seed + 1, 32)),
    holder: new SigningKey(toBeHex(10 * seed + 2, 32)),
  };
  const wallets = { owner: new Wallet(keys.owner, provider), holder: new Wallet(keys.holder, provider) };
  const stranger = new Wallet(toBeHex(10 * seed + 3, 32), provider);
  for (const { address } of [wallets.owner, wallets.holder, stranger])
    await provider.send('anvil_setBalance', [address, toBeHex(10n ** 24n)]);
  const [owner, holder] = [wallets.owner.address as Hex, wallets.holder.address as Hex];
  const payout = toBeHex(0xbeef00n + BigInt(seed), 20) as Hex;
  const contract = new Contract(PREDEPLOYS.storageDeals, [...StorageDealsAbi], provider);
  const { set: all, prove } = disk(SHARDS);

  const setOf = (chunks: readonly number[]): ShardSet =>
    createShardSet(chunks.map((chunk) => all.shards[chunk] ?? missing()));
  const sign = (digest: Hex, by: 'owner' | 'holder'): string => keys[by].sign(digest).serialized;
  return {
    provider,
    contract,
    chunks: SHARDS.length,
    id: dealId(owner, holder),
    accounts: { owner, holder, payout, stranger: stranger.address as Hex },
    /** What the contract has of games before. */
    fundsBefore: await provider.getBalance(PREDEPLOYS.storageDeals),
    sizeOf: (chunks: readonly number[]): bigint => dealSetOf(setOf(chunks)).size,
    terms: (form: Pick<DealTerms, 'ratePerTiBDay' | 'generation' | 'validUntil'>) => {
      const terms: DealTerms = { owner, holder, payout, token: ZERO, ...form };
      return { terms, signature: sign(termsHash(chainId, terms), 'holder') };
    },
    set: (form: Pick<DealSet, 'generation' | 'seq'>, chunks: readonly number[], holderSigns: boolean) => {
      const set: DealSet = { deal: dealId(owner, holder), ...form, ...dealSetOf(setOf(chunks)) };
      const digest = dealSetHash(chainId, set);
      return { set, byOwner: sign(digest, 'owner'), byHolder: sign(digest, holderSigns ? 'holder' : 'owner') };
    },
    /** What a holder sends for a question; the leaf after it, when it is to be wrong. */
    answer: (chunks: readonly number[], seed: Hex, question: number, isRight: boolean): readonly unknown[] => {
      const set = setOf(chunks);
      const places = auditPlaces(bytesOf(seed), set.leaves, QUESTIONS);
      const { shard, leaf } = locateLeaf(set, ((places[question] ?? 0) + (isRight ? 0 : 1)) % set.leaves);
      const proof = prove(shard, leaf);
      const path = shardSetPath(set, shard).map(({ hash, leaves, isLeft }) => [hash, leaves, isLeft]);
      return [shard.id, shard.root, shard.bytes / 256, path, proof.leaf, proof.path];
    },
    /** Sends a call in a block of its own at `now`. The name of the error that it is refused with. */
    send: async (by: 'owner' | 'holder' | 'stranger', now: number, { name, args, value = 0n }: SentCall) => {
      const data = contract.interface.encodeFunctionData(name, args as unknown[]);
      const from = { ...wallets, stranger }[by].address;
      await provider.send('evm_setNextBlockTimestamp', [now]);
      const transaction = { from, to: PREDEPLOYS.storageDeals, data, value: toBeHex(value), gas: toBeHex(GAS) };
      const receipt = await provider.waitForTransaction(await provider.send('eth_sendTransaction', [transaction]));
      if (receipt?.status === 1) return undefined;
      try {
        await provider.call({ ...transaction, gasLimit: GAS });
      } catch (error) {
        const revert = (error as { data?: Hex }).data ?? '0x';
        return contract.interface.parseError(revert)?.name ?? revert;
      }
      throw new Error(`${name} was refused and would be taken a moment later`);
    },
    close: () => provider.destroy(),
  };
}

export interface SentCall {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly value?: bigint;
}

function bytesOf(hex: Hex): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.slice(2), 'hex'));
}

function missing(): never {
  throw new RangeError('no such shard');
}
