import { Interface, toQuantity } from 'ethers';
import { RollupAbi } from '../../../contracts/generated/Rollup.ts';
import { SystemConfigAbi } from '../../../contracts/generated/SystemConfig.ts';
import type { Hex } from '../../../protocol/brand.ts';
import type { L1Call } from '../batcher/l1-sender.ts';
import { invalid } from '../l1/field.ts';
import { type JsonRpc, RpcRefusal } from '../l1/json-rpc.ts';
import type { OwnStake, Step } from './next-steps.ts';

const ROLLUP = new Interface([...RollupAbi]);
const CONFIG = new Interface([...SystemConfigAbi]);
const CLOCK = new Interface(['function time() view returns (uint64)']);
/** One account has one stake at a time; more of them are looked at from the newest on. */
const MAX_STAKES_READ = 16;

/** The Rollup as the endpoint tells of it: enough to act by, since every call is judged by the contract itself. */
export interface RollupCalls {
  /** The live stake of an account. */
  findStake(owner: Hex, signal: AbortSignal): Promise<(OwnStake & { readonly amountWei: bigint }) | undefined>;
  /** What a new stake has to be, in wei. */
  stakeWei(signal: AbortSignal): Promise<bigint>;
  /** What the Rollup owes an account, in wei. */
  owedWei(account: Hex, signal: AbortSignal): Promise<bigint>;
  /** What an account has on L1, in wei. */
  balanceWei(account: Hex, signal: AbortSignal): Promise<bigint>;
  encode(step: Step, stakeId: bigint, owner: Hex, signal: AbortSignal): Promise<L1Call>;
  /** When L1 lets an assertion be confirmed if no rival comes; seconds since 1970. */
  confirmableAt(nodeId: Hex, signal: AbortSignal): Promise<bigint>;
  /** Transactions of an account up to an L1 block. */
  nonceAt(account: Hex, block: bigint | 'latest', signal: AbortSignal): Promise<bigint>;
}

export interface RollupCallsOptions {
  readonly rollup: Hex;
  /** The first L1 block that may hold a stake. */
  readonly firstL1Block: bigint;
  /** How opponents reach this node for a challenge off chain. */
  readonly contact?: () => string;
}

export function createRollupCalls({ rollup, firstL1Block, contact }: RollupCallsOptions, rpc: JsonRpc): RollupCalls {
  async function view<T>(
    { to, abi, name, args = [] }: { to: Hex; abi: Interface; name: string; args?: readonly unknown[] },
    signal: AbortSignal,
  ): Promise<T> {
    const data = abi.encodeFunctionData(name, [...args]);
    const answer = await rpc.call('eth_call', [{ to, data }, 'latest'], signal);
    try {
      return abi.decodeFunctionResult(name, String(answer))[0] as T;
    } catch {
      throw invalid(`answer of ${name}`);
    }
  }
  const ofRollup = <T>(name: string, args: readonly unknown[], signal: AbortSignal): Promise<T> =>
    view<T>({ to: rollup, abi: ROLLUP, name, args }, signal);

  async function stakeIdsOf(owner: Hex, signal: AbortSignal): Promise<bigint[]> {
    const topics = ROLLUP.encodeFilterTopics('Staked', [null, owner]);
    const filter = { address: rollup, topics, fromBlock: toQuantity(firstL1Block), toBlock: 'latest' };
    const logs = await rpc.call('eth_getLogs', [filter], signal);
    if (!Array.isArray(logs)) throw invalid('list of logs');
    return logs
      .slice(-MAX_STAKES_READ)
      .reverse()
      .map((log: { topics?: string[] }) => BigInt(log.topics?.[1] ?? 0));
  }

  async function stakeWei(signal: AbortSignal): Promise<bigint> {
    const latest = await ofRollup<Hex>('latestConfirmed', [], signal);
    const { configId } = await ofRollup<{ configId: bigint }>('nodeOf', [latest], signal);
    const to = await ofRollup<Hex>('systemConfig', [], signal);
    const config = await view<{ stakeWei: bigint }>(
      { to, abi: CONFIG, name: 'rollupConfig', args: [configId] },
      signal,
    );
    return config.stakeWei;
  }

  const call = (name: string, args: readonly unknown[]): L1Call => ({
    to: rollup,
    data: ROLLUP.encodeFunctionData(name, [...args]) as Hex,
  });

  return {
    async findStake(owner, signal) {
      for (const id of await stakeIdsOf(owner, signal)) {
        const stake = await ofRollup<{ owner: string; standsOn: Hex; amountWei: bigint; isLive: boolean }>(
          'stakeOf',
          [id],
          signal,
        );
        if (stake.isLive && stake.owner.toLowerCase() === owner)
          return { id, standsOn: stake.standsOn, amountWei: stake.amountWei };
      }
      return undefined;
    },
    stakeWei,
    owedWei: (account, signal) => ofRollup<bigint>('owedWei', [account], signal),
    balanceWei: async (account, signal) =>
      BigInt(String(await rpc.call('eth_getBalance', [account, 'latest'], signal))),
    async encode(step, stakeId, owner, signal) {
      if (step.kind === 'stake') return { ...call('newStake', [owner]), value: await stakeWei(signal) };
      if (step.kind === 'claim') return call('claim', [owner]);
      if (step.kind === 'unstake') return call('returnStake', [stakeId]);
      if (step.kind === 'confirm') return call('confirm', [step.nodeId]);
      if (step.kind === 'back') return call('back', [stakeId, step.nodeId]);
      const { blockHash, sendRoot, batch, offset } = step.state;
      return call('create', [stakeId, step.parent, { blockHash, sendRoot, batch, offset }, contact?.() ?? '']);
    },
    async confirmableAt(nodeId, signal) {
      const onClock = await ofRollup<bigint>('confirmableAt', [nodeId], signal);
      const to = await ofRollup<Hex>('freezeClock', [], signal);
      const clock = await view<bigint>({ to, abi: CLOCK, name: 'time' }, signal);
      const head = (await rpc.call('eth_getBlockByNumber', ['latest', false], signal)) as { timestamp: Hex };
      return BigInt(head.timestamp) + onClock - clock;
    },
    async nonceAt(account, block, signal) {
      const at = block === 'latest' ? block : toQuantity(block);
      return BigInt(String(await rpc.call('eth_getTransactionCount', [account, at], signal)));
    },
  };
}

/** The name of the contract's error for which L1 refused a call; undefined when it did not say. */
export function whyRefused(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof RpcRefusal)) return undefined;
  const data = typeof cause.data === 'string' ? cause.data : (cause.data as { data?: unknown } | undefined)?.data;
  if (typeof data !== 'string') return undefined;
  try {
    return ROLLUP.parseError(data)?.name;
  } catch {
    return undefined;
  }
}
