import { createReadStream, existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { BlockHeader } from '@ethereumjs/block';
import { AbiCoder, Interface, keccak256, toBeHex, toQuantity, zeroPadValue } from 'ethers';
import type { Hex } from '../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import type { NetworkDescriptor } from '../../protocol/network/descriptor.ts';
import { parseOrigin } from '../../protocol/rollup/block-input.ts';
import type { Genesis } from '../../protocol/rollup/genesis.ts';
import type { Rules } from '../../protocol/rollup/rules.ts';
import type { Logger } from '../telemetry/index.ts';
import type { DeriveStore } from './derive/derive-store.ts';
import { createDeriveStore, firstBatchRecord, type L1Record, type MessageRecord } from './derive/derive-store.ts';
import type { Engine } from './derive/engine.ts';
import { trackInbox } from './derive/inbox-tracker.ts';
import type { ChainDatabase } from './execute/chain-database.ts';
import { refOf } from './execute/heads.ts';
import type { PackForeignState } from './execute/pack-foreign-state.ts';
import { parseFields, parseList, quantity } from './l1/field.ts';
import type { L1Header } from './l1/header.ts';
import { MESSAGE_TOPIC } from './l1/inbox-event.ts';
import type { JsonRpc } from './l1/json-rpc.ts';
import type { L1Source } from './l1/l1-source.ts';
import type { OwnValidator } from './own-validator.ts';
import { exportSnapshot } from './snapshot/export-snapshot.ts';
import { importSnapshot, type SnapshotPlace } from './snapshot/import-snapshot.ts';
import type { Manifest } from './snapshot/manifest.ts';
import { BOOK_RECORD, encodeBase } from './validator/assertion-follower.ts';
import type { SentMessages } from './withdrawals/sent-messages.ts';

const ROLLUP = new Interface([
  'function isConfirmed(bytes32) view returns (bool)',
  'function stateHashOf(bytes32) view returns (bytes32)',
]);
const NOWHERE: Hex = `0x${'00'.repeat(32)}`;
const MAX_LOGS = 16;

export interface OwnSnapshotsParts {
  readonly l1: L1Source;
  readonly l1Rpc: JsonRpc;
  readonly database: ChainDatabase;
  readonly packState: PackForeignState;
  readonly genesis: Genesis;
  /** Derivation before the first L1 block. */
  readonly first: L1Record;
  readonly rules: Rules;
  readonly store: DeriveStore;
  readonly engine: Engine;
  readonly messages: SentMessages;
  readonly validator: OwnValidator;
}

/** Snapshots of this node: made of its chain, and taken into an empty database before the executor opens it. */
export interface OwnSnapshots {
  make(): AsyncIterable<Uint8Array>;
  /** Takes the file if there is one and the database is empty; a file that was taken is removed. Throws ROLLUP_SNAPSHOT_INVALID. */
  take(path: string, signal: AbortSignal): Promise<void>;
}

export function createOwnSnapshots(
  { descriptor, databasePath }: { readonly descriptor: NetworkDescriptor; readonly databasePath: string },
  { log }: { readonly log: Logger },
  parts: OwnSnapshotsParts,
): OwnSnapshots {
  const { database, packState, genesis, rules, validator, store } = parts;

  async function fill(path: string, signal: AbortSignal): Promise<void> {
    if ((await database.heads()) !== undefined)
      return log.warn({}, 'snapshot not used: the database has a chain already');
    const checkOnL1 = (manifest: Manifest, header: BlockHeader): Promise<SnapshotPlace> =>
      findOnL1({ descriptor, manifest, header }, parts, signal);
    const block = await importSnapshot(createReadStream(path), { database, packState, genesis, rules, checkOnL1 });
    log.info({ block }, 'snapshot taken: the chain goes on from its block, and its history is here from there on');
  }

  return {
    make: () =>
      exportSnapshot({
        ...{ descriptor, database, store, book: validator.book, verdictOf: validator.verdictOf },
        messages: parts.messages,
      }),
    async take(path, signal) {
      if (!existsSync(path)) return;
      await database.open();
      let refusal: unknown;
      try {
        await fill(path, signal);
      } catch (error) {
        refusal = error;
      }
      await database.close();
      if (refusal === undefined) return rm(path, { force: true });
      // Of what is not believed nothing stays; what only broke off begins anew at the next start.
      if (isNectarError(refusal, 'ROLLUP_SNAPSHOT_INVALID')) await rm(databasePath, { recursive: true, force: true });
      throw refusal;
    },
  };
}

function invalid(reason: string): NectarError<'ROLLUP_SNAPSHOT_INVALID'> {
  return new NectarError('ROLLUP_SNAPSHOT_INVALID', { reason });
}

interface Claimed {
  readonly descriptor: NetworkDescriptor;
  readonly manifest: Manifest;
  readonly header: BlockHeader;
}

/** The place of a snapshot as the own L1 has it: believed is what headers, receipts and the confirmed assertion say. */
async function findOnL1(claimed: Claimed, parts: OwnSnapshotsParts, signal: AbortSignal): Promise<SnapshotPlace> {
  const { manifest, header } = claimed;
  const { l1, first } = parts;
  await l1.verifyChain(signal);
  await requireConfirmed(claimed, parts.l1Rpc, signal);
  const number = BigInt(manifest.l1Number);
  const finalized = await l1.headerByTag('finalized', signal);
  const place = await l1.headerByNumber(number, signal);
  if (place === undefined || finalized === undefined || finalized.number < number || number <= first.number)
    throw invalid('L1 has no final block at its place');
  const batch = (await l1.inboxEvents(place, signal)).findLast(({ kind }) => kind === 'batch');
  if (batch?.kind !== 'batch' || batch.sequenceNumber + 1n !== BigInt(manifest.batch))
    throw invalid('L1 has another batch at its place');
  const { number: originNumber, delayedMessages: messagesRead } = parseOrigin(header);
  if (batch.delayedCount !== messagesRead) throw invalid('its block has not read what its last batch obliges it to');

  const safe = { ...refOf(header), originNumber, messagesRead };
  const messages = await readMessages({ from: messagesRead, to: number }, parts, claimed.descriptor, signal);
  const messageCount = (messages.at(-1)?.index ?? -1n) + 1n;
  const common = { batchCount: batch.sequenceNumber + 1n, batchAcc: batch.afterAcc, messageCount, safe };
  const toRecord = ({ number, hash, timestamp }: L1Header): L1Record => ({
    ...{ number, hash, timestamp, messagesAllowed: batch.delayedCount },
    ...common,
  });
  const records = new Map<string, Uint8Array>();
  const capture = createDeriveStore(
    { record: async () => undefined, putRecords: async (entries) => keep(records, entries) },
    first,
  );
  const before = await walkBack(place, originNumber, l1, signal);
  for (const earlier of before) await capture.advance(toRecord(earlier), []);
  await capture.advance(toRecord(place), messages);
  // The validator begins before the assertion was made; what was confirmed before it is not its concern.
  const book = { assertions: new Map(), latestConfirmed: NOWHERE };
  records.set(...firstBatchRecord(common.batchCount));
  records.set(BOOK_RECORD, encodeBase({ number: number - 1n, hash: place.parentHash, book }));
  return { records };
}

function keep(records: Map<string, Uint8Array>, entries: ReadonlyMap<string, Uint8Array | undefined>): void {
  for (const [name, bytes] of entries) if (bytes !== undefined) records.set(name, bytes);
}

async function requireConfirmed({ descriptor, manifest }: Claimed, rpc: JsonRpc, signal: AbortSignal): Promise<void> {
  const ask = async (name: 'isConfirmed' | 'stateHashOf'): Promise<unknown> => {
    const call = { to: descriptor.l1.rollup, data: ROLLUP.encodeFunctionData(name, [manifest.nodeId]) };
    return ROLLUP.decodeFunctionResult(name, String(await rpc.call('eth_call', [call, 'latest'], signal)))[0];
  };
  const { blockHash, sendRoot, batch } = manifest;
  const types = ['bytes32', 'bytes32', 'uint64', 'uint64'];
  const stateHash = keccak256(AbiCoder.defaultAbiCoder().encode(types, [blockHash, sendRoot, batch, 0]));
  if ((await ask('isConfirmed')) !== true) throw invalid('L1 has not confirmed its assertion');
  if ((await ask('stateHashOf')) !== stateHash) throw invalid('the confirmed assertion names another state');
}

/** The headers between an origin and a block, the oldest first, each the parent of the next. */
async function walkBack(place: L1Header, to: bigint, l1: L1Source, signal: AbortSignal): Promise<readonly L1Header[]> {
  const headers: L1Header[] = [];
  let child = place;
  // The one before is always there: the validator's book begins with it.
  const last = to < place.number - 1n ? to : place.number - 1n;
  while (child.number > last && child.number > 0n) {
    const parent = await l1.headerByNumber(child.number - 1n, signal);
    if (parent === undefined || parent.hash !== child.parentHash)
      throw new NectarError('ROLLUP_L1_REORGED', { number: child.number - 1n });
    headers.unshift(parent);
    child = parent;
  }
  return headers;
}

/** The last message that L2 has read and those after it, up to an L1 block: found by their numbers, believed by receipts. */
async function readMessages(
  range: { readonly from: bigint; readonly to: bigint },
  { l1, l1Rpc, first }: OwnSnapshotsParts,
  { l1: { inbox } }: NetworkDescriptor,
  signal: AbortSignal,
): Promise<readonly MessageRecord[]> {
  const messages: MessageRecord[] = [];
  for (let next = range.from === 0n ? 0n : range.from - 1n; ; next = (messages.at(-1)?.index ?? next) + 1n) {
    const topics = [MESSAGE_TOPIC, zeroPadValue(toBeHex(next), 32)];
    const filter = { address: inbox, topics, fromBlock: toQuantity(first.number), toBlock: toQuantity(range.to) };
    const logs = parseList(await l1Rpc.call('eth_getLogs', [filter], signal), 'logs', MAX_LOGS);
    const [found] = logs;
    if (found === undefined) return messages;
    const number = quantity(parseFields(found, 'log'), 'blockNumber');
    const header = await l1.headerByNumber(number, signal);
    if (header === undefined) throw new NectarError('ROLLUP_L1_REORGED', { number });
    const events = (await l1.inboxEvents(header, signal)).filter((event) => event.kind === 'message');
    const wanted = events.filter(({ index }) => index >= next);
    const [begin] = wanted;
    if (begin?.index !== next) throw new NectarError('ROLLUP_L1_RESPONSE_INVALID', { what: 'list of logs' });
    const before = { ...first, messageCount: next };
    const knownAcc = messages.at(-1)?.accumulator ?? begin.beforeAcc;
    messages.push(...(await trackInbox(before, header, wanted, async () => knownAcc)).messages);
  }
}
