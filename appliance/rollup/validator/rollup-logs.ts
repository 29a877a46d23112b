import { Interface } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { isInBloom } from '../l1/bloom.ts';
import { invalid } from '../l1/field.ts';
import type { L1Header } from '../l1/header.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';
import { verifyReceipts } from '../l1/receipts.ts';
import type { GlobalState } from './assertion.ts';

/** What happened to assertions, in the order of L1's logs. */
export type AssertionEvent =
  | {
      readonly kind: 'created';
      readonly nodeId: Hex;
      readonly parent: Hex;
      readonly stakeId: bigint;
      readonly state: GlobalState;
      readonly target: bigint;
    }
  | { readonly kind: 'confirmed' | 'died'; readonly nodeId: Hex };

const ROLLUP = new Interface([
  'event NodeCreated(bytes32 indexed nodeId, bytes32 indexed parent, uint256 indexed stakeId, (bytes32 blockHash, bytes32 sendRoot, uint64 batch, uint64 offset) state, uint64 target, string contact)',
  'event NodeConfirmed(bytes32 indexed nodeId, bytes32 indexed parent)',
  'event NodeDied(bytes32 indexed nodeId, bytes32 indexed parent)',
]);
const TOPICS = new Map(
  (['NodeCreated', 'NodeConfirmed', 'NodeDied'] as const).map((name) => [ROLLUP.getEvent(name)?.topicHash, name]),
);

/**
 * The Rollup's logs in an L1 block. No endpoint can invent one, which would miss the receipts' root, nor hide one, which the bloom
 * of the header would show.
 */
export async function readAssertionEvents(
  rpc: JsonRpc,
  rollup: Hex,
  header: L1Header,
  signal: AbortSignal,
): Promise<readonly AssertionEvent[]> {
  if (!isInBloom(header.logsBloom, rollup)) return [];
  const logs = await verifyReceipts(header, await rpc.call('eth_getBlockReceipts', [header.hash], signal));
  return logs.flatMap((log) => {
    const event = log.address === rollup ? parseEvent(log) : undefined;
    return event === undefined ? [] : [event];
  });
}

function parseEvent(log: { readonly topics: readonly Hex[]; readonly data: Hex }): AssertionEvent | undefined {
  const name = TOPICS.get(log.topics[0]);
  if (name === undefined) return undefined;
  const parsed = ROLLUP.parseLog({ topics: [...log.topics], data: log.data });
  if (parsed === null) throw invalid('log of the Rollup');
  const { args } = parsed;
  const nodeId = args.getValue('nodeId') as Hex;
  if (name !== 'NodeCreated') return { kind: name === 'NodeConfirmed' ? 'confirmed' : 'died', nodeId };
  const { blockHash, sendRoot, batch, offset } = args.getValue('state') as GlobalState;
  return {
    kind: 'created',
    nodeId,
    parent: args.getValue('parent') as Hex,
    stakeId: args.getValue('stakeId') as bigint,
    state: { blockHash, sendRoot, batch, offset },
    target: args.getValue('target') as bigint,
  };
}
