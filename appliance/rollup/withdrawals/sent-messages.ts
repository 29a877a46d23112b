import { Interface, toQuantity } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { PREDEPLOYS } from '../../../protocol/rollup/genesis.ts';
import { leafOf, type SendMessage, sendRootOf } from '../../../protocol/rollup/send-tree.ts';
import type { OwnRpc } from '../account/operator-account.ts';
import { encodeBigintJson, parseBigintJson } from '../bigint-json.ts';
import type { Engine, Heads } from '../derive/engine.ts';

/** A message to L1 in a block of the own chain. */
export interface SentMessage extends SendMessage {
  readonly block: bigint;
  readonly transaction: Hex;
}

/** All messages from L2 to L1, in the order of their nonces. */
export interface SentMessages {
  /** How many there are in the state of a block. */
  countAt(block: bigint): Promise<bigint>;
  /** The messages with nonces below `count`. Throws ROLLUP_DERIVE_STATE_INVALID when the chain does not have them. */
  upTo(count: bigint): Promise<readonly SentMessage[]>;
  /** Reads and remembers all that a final block's state has, so that they are known without it. */
  rememberTo(block: bigint): Promise<void>;
  /** The root over all messages up to a block, of those that are remembered: for a block whose state is not here any more. */
  rememberedRootAt(block: bigint): Promise<Hex>;
}

export interface SentMessagesDeps {
  readonly own: OwnRpc;
  readonly heads: () => Heads;
  readonly engine: Pick<Engine, 'record' | 'putRecords'>;
  /** The first block whose state is here. */
  readonly stateFrom: () => bigint;
}

export const MESSENGER = new Interface([
  'function sendMessage(address to, bytes data) payable returns (uint256 nonce)',
  'event MessageSent(uint256 indexed nonce, address indexed from, address indexed to, uint256 value, bytes data, bytes32 sendRoot)',
]);
const COUNT_SLOT = '0x1';
const ALL = 1n << 64n;
const MESSAGE_SENT = MESSENGER.getEvent('MessageSent')?.topicHash;

/** Where one message stands is found by halving: the count in the state of a block only grows. What is final is remembered for good. */
export function createSentMessages({ own, heads, engine, stateFrom }: SentMessagesDeps): SentMessages {
  const final: SentMessage[] = [];

  const countAt = async (block: bigint): Promise<bigint> =>
    BigInt((await own('eth_getStorageAt', [PREDEPLOYS.messenger, COUNT_SLOT, toQuantity(block)])) as Hex);

  async function findBlock(nonce: bigint): Promise<bigint> {
    const [known, here] = [final.at(-1)?.block ?? 0n, stateFrom()];
    let [low, high] = [known > here ? known : here, heads().unsafe.number];
    while (low < high) {
      const middle = (low + high) / 2n;
      if ((await countAt(middle)) > nonce) high = middle;
      else low = middle + 1n;
    }
    return low;
  }

  async function readBlock(block: bigint): Promise<readonly SentMessage[]> {
    const at = toQuantity(block);
    const filter = { address: PREDEPLOYS.messenger, topics: [MESSAGE_SENT], fromBlock: at, toBlock: at };
    const logs = (await own('eth_getLogs', [filter])) as { topics: Hex[]; data: Hex; transactionHash: Hex }[];
    return logs.flatMap((log) => {
      const parsed = MESSENGER.parseLog(log);
      if (parsed === null) return [];
      const [nonce, from, to, value, data] = parsed.args as unknown as [bigint, Hex, Hex, bigint, Hex];
      const lower = { from: from.toLowerCase() as Hex, to: to.toLowerCase() as Hex };
      return [{ nonce, ...lower, value, data, block, transaction: log.transactionHash }];
    });
  }

  async function recall(count: bigint): Promise<void> {
    while (final.length < count) {
      const bytes = await engine.record(recordName(final.length));
      if (bytes === undefined) return;
      final.push(parseBigintJson(bytes) as SentMessage);
    }
  }

  async function keepFinal(found: readonly SentMessage[]): Promise<void> {
    const { number } = heads().finalized;
    const kept = found.filter(({ block, nonce }) => block <= number && nonce >= BigInt(final.length));
    if (kept.length === 0) return;
    await engine.putRecords(new Map(kept.map((message) => [recordName(message.nonce), encodeBigintJson(message)])));
    final.push(...kept);
  }

  async function upTo(count: bigint): Promise<readonly SentMessage[]> {
    await recall(count);
    const messages = final.slice(0, Number(count));
    while (messages.length < count) {
      const next = BigInt(messages.length);
      const found = (await readBlock(await findBlock(next))).filter(({ nonce }) => nonce >= next);
      if (found[0]?.nonce !== next)
        throw new NectarError('ROLLUP_DERIVE_STATE_INVALID', { what: `no message ${next}` });
      messages.push(...found);
    }
    await keepFinal(messages.slice(final.length));
    return messages.slice(0, Number(count));
  }

  return {
    countAt,
    upTo,
    async rememberTo(block) {
      await upTo(await countAt(block));
    },
    async rememberedRootAt(block) {
      await recall(ALL);
      return sendRootOf(final.filter((message) => message.block <= block).map(leafOf));
    },
  };
}

function recordName(nonce: bigint | number): string {
  return `withdrawals/message/${nonce}`;
}
