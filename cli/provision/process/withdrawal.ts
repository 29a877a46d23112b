import { Contract, Interface, JsonRpcProvider, type Wallet } from 'ethers';
import { MessengerAbi } from '../../../contracts/generated/Messenger.ts';
import { OutboxAbi } from '../../../contracts/generated/Outbox.ts';
import { RollupAbi } from '../../../contracts/generated/Rollup.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { PREDEPLOYS } from '../../../protocol/rollup/genesis.ts';
import { EMPTY_SEND_ROOT, leafOf, proveSend, type SendMessage } from '../../../protocol/rollup/send-tree.ts';
import { type L1Transactor, withWallet } from './l1-contracts.ts';

/** G of the Rollup: the state before batch `batch`. */
export interface GlobalState {
  readonly blockHash: Hex;
  readonly sendRoot: Hex;
  readonly batch: bigint;
  readonly offset: bigint;
}

/** What `Outbox.execute` takes. */
export interface ProvenWithdrawal {
  readonly nodeId: Hex;
  readonly state: GlobalState;
  readonly message: SendMessage;
  readonly siblings: readonly Hex[];
}

export interface RollupPlace {
  readonly rollup: Hex;
  readonly outbox: Hex;
  /** A node of L2; its own derived state is what is asserted and proven. */
  readonly l2RpcUrl: string;
}

const messenger = new Interface([...MessengerAbi]);
const rollupEvents = new Interface([...RollupAbi]);

/** The state after all batches before `batch`, from the node's own chain. */
async function stateBefore(l2: JsonRpcProvider, batch: bigint): Promise<GlobalState> {
  const safe = await l2.getBlock('safe');
  for (let number = safe?.number ?? 0; number > 0; number -= 1) {
    const place = (await l2.send('nectar_batchOf', [`0x${number.toString(16)}`])) as { sequenceNumber: string } | null;
    if (place === null || BigInt(place.sequenceNumber) >= batch) continue;
    return describeState(l2, number, batch);
  }
  return describeState(l2, 0, batch);
}

async function describeState(l2: JsonRpcProvider, number: number, batch: bigint): Promise<GlobalState> {
  const block = await l2.getBlock(number);
  if (block?.hash == null) throw new NectarError('ROLLUP_DERIVE_STATE_INVALID', { what: `no block ${number}` });
  const sendRoot = (await l2.getStorage(PREDEPLOYS.messenger, 0, number)) as Hex;
  return { blockHash: block.hash as Hex, sendRoot, batch, offset: 0n };
}

/** Stakes for the L1 account unless it has a stake already; resolves with the stake's id. */
async function findOrMakeStake(rollup: Contract, wallet: Wallet): Promise<bigint> {
  const count = (await rollup.getFunction('stakeCount')()) as bigint;
  for (let id = count - 1n; id >= 0n; id -= 1n) {
    const stake = (await rollup.getFunction('stakeOf')(id)) as { owner: string; isLive: boolean };
    if (stake.owner === wallet.address && stake.isLive) return id;
  }
  const root = (await rollup.getFunction('latestConfirmed')()) as string;
  const config = new Contract((await rollup.getFunction('systemConfig')()) as string, [CONFIG_ABI], wallet);
  const { configId } = (await rollup.getFunction('nodeOf')(root)) as { configId: bigint };
  const { stakeWei } = (await config.getFunction('rollupConfig')(configId)) as { stakeWei: bigint };
  await (await rollup.getFunction('newStake').send(wallet.address, { value: stakeWei })).wait();
  return count;
}

const CONFIG_ABI =
  'function rollupConfig(uint32) view returns (tuple(bytes32 machine, bytes32 core0, address verifier, address challengeManager, uint128 stakeWei, uint64 periodS, uint64 intervalS))';

/**
 * Asserts what the node derived, one step after where the account's stake stands. Resolves with the assertion, undefined while its
 * batches are not there or its time has not come (the contract decides).
 */
export async function assertNext(from: L1Transactor, place: RollupPlace): Promise<Hex | undefined> {
  return withWallet(from, async (wallet) => {
    const rollup = new Contract(place.rollup, [...RollupAbi], wallet);
    const stakeId = await findOrMakeStake(rollup, wallet);
    const { standsOn } = (await rollup.getFunction('stakeOf')(stakeId)) as { standsOn: string };
    const { target } = (await rollup.getFunction('nodeOf')(standsOn)) as { target: bigint };
    const state = await withL2(place, (l2) => stateBefore(l2, target));
    const args = [stakeId, standsOn, state, ''];
    const nodeId = await rollup
      .getFunction('create')
      .staticCall(...args)
      .catch(() => undefined);
    if (nodeId === undefined) return undefined;
    await (await rollup.getFunction('create').send(...args)).wait();
    return nodeId as Hex;
  });
}

/** Confirms an assertion whose period is over; false while it is not. */
export async function confirmAssertion(from: L1Transactor, { rollup }: RollupPlace, nodeId: Hex): Promise<boolean> {
  return withWallet(from, async (wallet) => {
    const confirm = new Contract(rollup, [...RollupAbi], wallet).getFunction('confirm');
    if (
      !(await confirm.staticCall(nodeId).then(
        () => true,
        () => false,
      ))
    )
      return false;
    await (await confirm.send(nodeId)).wait();
    return true;
  });
}

/** Proves the message `nonce` against a confirmed assertion; undefined while none covers it. */
export async function proveWithdrawal(
  from: L1Transactor,
  place: RollupPlace,
  nonce: bigint,
): Promise<ProvenWithdrawal | undefined> {
  return withWallet(from, async (wallet, l1) => {
    const nodeId = (await new Contract(place.rollup, [...RollupAbi], wallet).getFunction('latestConfirmed')()) as Hex;
    const topics = rollupEvents.encodeFilterTopics('NodeCreated', [nodeId]);
    const [log] = await l1.getLogs({ address: place.rollup, topics, fromBlock: 0 });
    const parsed = log && rollupEvents.parseLog(log);
    if (parsed == null) return undefined;
    const named = parsed.args.getValue('state') as {
      blockHash: string;
      sendRoot: string;
      batch: bigint;
      offset: bigint;
    };
    const { blockHash, sendRoot, batch, offset } = named;
    const state = { blockHash: blockHash as Hex, sendRoot: sendRoot as Hex, batch, offset };
    if (state.sendRoot === EMPTY_SEND_ROOT) return undefined;
    const messages = await withL2(place, (l2) => messagesUpTo(l2, state.blockHash));
    const message = messages[Number(nonce)];
    if (message === undefined) return undefined;
    const { siblings, root } = proveSend(messages.map(leafOf), Number(nonce));
    if (root !== state.sendRoot) throw new NectarError('ROLLUP_DERIVE_STATE_INVALID', { what: 'send root' });
    return { nodeId, state, message, siblings };
  });
}

/** Executes a proven message on L1, from any account; it pays whom the message names. */
export async function executeWithdrawal(
  from: L1Transactor,
  place: RollupPlace,
  proven: ProvenWithdrawal,
): Promise<Hex> {
  return withWallet(from, async (wallet) => {
    const outbox = new Contract(place.outbox, [...OutboxAbi], wallet);
    const { nodeId, state, message, siblings } = proven;
    const sent = await outbox.getFunction('execute').send(nodeId, state, message, siblings);
    await sent.wait();
    return sent.hash as Hex;
  });
}

async function messagesUpTo(l2: JsonRpcProvider, blockHash: Hex): Promise<SendMessage[]> {
  const block = await l2.getBlock(blockHash);
  const topics = messenger.encodeFilterTopics('MessageSent', []);
  const range = { fromBlock: 0, toBlock: block?.number ?? 0 };
  const logs = await l2.getLogs({ address: PREDEPLOYS.messenger, topics, ...range });
  return logs.flatMap((log) => {
    const parsed = messenger.parseLog(log);
    if (parsed === null) return [];
    const [nonce, from, to, value, data] = parsed.args as unknown as [bigint, Hex, Hex, bigint, Hex];
    return [{ nonce, from, to, value, data }];
  });
}

async function withL2<T>({ l2RpcUrl }: RollupPlace, use: (l2: JsonRpcProvider) => Promise<T>): Promise<T> {
  const l2 = new JsonRpcProvider(l2RpcUrl, undefined, { staticNetwork: true });
  try {
    return await use(l2);
  } finally {
    l2.destroy();
  }
}
