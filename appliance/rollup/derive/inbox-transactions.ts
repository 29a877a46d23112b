import type { Hex } from '../../../protocol/brand.ts';
import { MESSAGE_KINDS } from '../../../protocol/rollup/delayed-message.ts';
import { encodeBigintJson, parseBigintJson } from '../bigint-json.ts';
import type { DeriveStore, MessageRecord } from './derive-store.ts';
import { hashOf } from './dropped.ts';

/** Where in the Inbox each signed transaction is, so that one which no batch has read yet is found by its hash. */
export function encodeInboxTransactions(messages: readonly MessageRecord[]): [string, Uint8Array][] {
  return messages
    .filter(({ kind }) => kind === MESSAGE_KINDS.transaction)
    .map(({ index, data }) => [nameOf(hashOf(data)), encodeBigintJson(index)]);
}

/** The message's number, while L2 has not read it; undefined when there is no such message, or it was read. */
export async function findInInbox(
  hash: Hex,
  store: Pick<DeriveStore, 'cursor' | 'getMessage'> & { record(name: string): Promise<Uint8Array | undefined> },
): Promise<bigint | undefined> {
  const bytes = await store.record(nameOf(hash));
  if (bytes === undefined) return undefined;
  const index = parseBigintJson(bytes) as bigint;
  const { safe, messageCount } = await store.cursor();
  if (index < safe.messagesRead || index >= messageCount) return undefined;
  // After an L1 reorg another message may have the number.
  const { data, kind } = await store.getMessage(index);
  return kind === MESSAGE_KINDS.transaction && hashOf(data) === hash.toLowerCase() ? index : undefined;
}

function nameOf(hash: Hex): string {
  return `derive/inbox-transaction/${hash.toLowerCase()}`;
}
