import { getBytes, Interface, keccak256 } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import type { BatchData } from '../../../protocol/rollup/batch-data.ts';
import { invalid } from './field.ts';
import type { L1Log } from './receipts.ts';

/** A batch that SequencerInbox took, with what hashes to what it committed to. */
export interface BatchEvent {
  readonly kind: 'batch';
  readonly sequenceNumber: bigint;
  readonly beforeAcc: Hex;
  readonly afterAcc: Hex;
  readonly dataHash: Hex;
  /** How many delayed messages L2 must have read after this batch. */
  readonly delayedCount: bigint;
  readonly source: BatchSource;
  /** What L1 holds of it; a forced batch has nothing. */
  readonly content?: BatchData;
}

/** A message from L1 to L2 that Inbox took. */
export interface MessageEvent {
  readonly kind: 'message';
  readonly index: bigint;
  readonly beforeAcc: Hex;
  readonly messageKind: number;
  readonly sender: Hex;
  readonly data: Hex;
}

export type InboxEvent = BatchEvent | MessageEvent;

export interface InboxAddresses {
  readonly inbox: Hex;
  readonly sequencerInbox: Hex;
}

export const SEQUENCER_INBOX = new Interface([
  'function addBatch(uint256 sequenceNumber, bytes data, uint256 delayedCount)',
  'function addBatchBlobs(uint256 sequenceNumber, uint256 delayedCount)',
  'event BatchDelivered(uint256 indexed sequenceNumber, bytes32 indexed beforeAcc, bytes32 indexed afterAcc, bytes32 dataHash, uint256 delayedCount, uint8 source)',
]);

export const INBOX = new Interface([
  'function depositEth(address to) payable returns (uint256 index)',
  'event MessageDelivered(uint256 indexed index, bytes32 indexed beforeAcc, uint8 kind, address indexed sender, bytes data)',
]);

/** topic 0 of the two events. */
export const BATCH_TOPIC = topicOf(SEQUENCER_INBOX, 'BatchDelivered');
export const MESSAGE_TOPIC = topicOf(INBOX, 'MessageDelivered');

function topicOf(contract: Interface, event: string): Hex {
  const fragment = contract.getEvent(event);
  if (fragment === null) throw new TypeError(`no event ${event}`);
  return fragment.topicHash as Hex;
}

/** The log as an Inbox message; undefined when it is not one. The log is verified, so only the contract can shape it. */
export function findMessage(log: L1Log, addresses: InboxAddresses): MessageEvent | undefined {
  if (log.address !== addresses.inbox || log.topics[0] !== MESSAGE_TOPIC) return undefined;
  const args = parse(INBOX, log);
  return {
    kind: 'message',
    index: args.getValue('index') as bigint,
    beforeAcc: args.getValue('beforeAcc') as Hex,
    messageKind: Number(args.getValue('kind')),
    sender: (args.getValue('sender') as string).toLowerCase() as Hex,
    data: args.getValue('data') as Hex,
  };
}

/** SequencerInbox.Source: where a batch's bytes are. */
const SOURCES = ['calldata', 'blobs', 'forced'] as const;
export type BatchSource = (typeof SOURCES)[number];

/** A batch whose bytes are still to be read. */
export type UnreadBatch = Omit<BatchEvent, 'content'>;

/** The log as a batch; undefined when it is not one. */
export function findBatch(log: L1Log, addresses: InboxAddresses): UnreadBatch | undefined {
  if (log.address !== addresses.sequencerInbox || log.topics[0] !== BATCH_TOPIC) return undefined;
  const args = parse(SEQUENCER_INBOX, log);
  const source = SOURCES[Number(args.getValue('source'))];
  if (source === undefined) throw invalid('batch source');
  return {
    kind: 'batch',
    sequenceNumber: args.getValue('sequenceNumber') as bigint,
    beforeAcc: args.getValue('beforeAcc') as Hex,
    afterAcc: args.getValue('afterAcc') as Hex,
    dataHash: args.getValue('dataHash') as Hex,
    delayedCount: args.getValue('delayedCount') as bigint,
    source,
  };
}

/** The batch bytes in an addBatch call, checked against the hash that the verified event carries. */
export function parseBatchCalldata(input: Hex, dataHash: Hex): Uint8Array {
  let data: string;
  try {
    data = SEQUENCER_INBOX.decodeFunctionData('addBatch', input).getValue('data') as string;
  } catch {
    throw invalid('batch calldata');
  }
  if (keccak256(data) !== dataHash) throw invalid('batch calldata');
  return getBytes(data);
}

function parse(contract: Interface, log: L1Log): NonNullable<ReturnType<Interface['parseLog']>>['args'] {
  const parsed = contract.parseLog({ topics: [...log.topics], data: log.data });
  if (parsed === null) throw invalid('inbox log');
  return parsed.args;
}
