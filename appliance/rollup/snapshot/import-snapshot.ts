import { type Block, type BlockHeader, createBlockFromRLP, createBlockHeaderFromRLP } from '@ethereumjs/block';
import { keccak256 } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { Genesis } from '../../../protocol/rollup/genesis.ts';
import { orderedRoot } from '../../../protocol/rollup/ordered-root.ts';
import {
  decodeReceipts,
  encodeConsensusReceipt,
  encodeReceipts,
  type Receipt,
} from '../../../protocol/rollup/receipt.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import { leafOf, sendRootOf } from '../../../protocol/rollup/send-tree.ts';
import { parseBigintJson } from '../bigint-json.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import { refOf } from '../execute/heads.ts';
import type { PackForeignState } from '../execute/pack-foreign-state.ts';
import type { SentMessage } from '../withdrawals/sent-messages.ts';
import { createFrameReader, type FrameReader } from './frames.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { walkState } from './state-walk.ts';

/** What the own L1 says of the place at which a snapshot begins. */
export interface SnapshotPlace {
  /** Records of derivation and of the validator, as if this node had come there by itself. */
  readonly records: ReadonlyMap<string, Uint8Array>;
}

export interface ImportDeps {
  readonly database: Pick<ChainDatabase, 'apply'>;
  readonly packState: PackForeignState;
  readonly genesis: Genesis;
  readonly rules: Rules;
  /** Reads L1: the assertion is confirmed and names this state. Throws ROLLUP_SNAPSHOT_INVALID when it does not. */
  readonly checkOnL1: (manifest: Manifest, header: BlockHeader) => Promise<SnapshotPlace>;
}

/** The newest block that a snapshot brought: history is here from the one after it on. */
export const SNAPSHOT_RECORD = 'snapshot/block';
const WRITE_BYTES = 4 * 1024 * 1024;

/**
 * Fills an empty database from a snapshot. Nothing of it is believed: the own L1 says which block hash is confirmed, that hash which
 * state root, that root every node of the state. The heads are written last, all at once: a kill before leaves a database that is
 * empty to its next start. Throws ROLLUP_SNAPSHOT_INVALID.
 */
export async function importSnapshot(source: AsyncIterable<Uint8Array>, deps: ImportDeps): Promise<bigint> {
  const { database, genesis, rules } = deps;
  const frames = createFrameReader(source);
  const manifest = parseManifest(await frames.next());
  if (manifest.genesisHash !== genesis.hash) throw invalid('it is of another network');
  const block = parseBlock(await need(frames), rules);
  if (bytesToHex(block.hash()) !== manifest.blockHash || block.header.number !== BigInt(manifest.block))
    throw invalid('its block has another hash than it says');
  await checkBody(block);
  const receipts = parseReceipts(await need(frames), block, rules);
  const place = await deps.checkOnL1(manifest, block.header);
  const headers = await readHeaders(frames, manifest, block.header);
  const messages = await readMessages(frames, manifest);
  await readState(frames, bytesToHex(block.header.stateRoot), deps);
  if ((await frames.next()) !== undefined) throw invalid('it holds more than the state');

  const { hash } = genesis;
  // The genesis with its own state: what is written for it stands also where a later state has the same parts.
  await database.apply({ block: { ...written(genesis.block, hash, []), preimages: genesis.preimages } });
  await database.apply({ operations: deps.packState(headers, 0) });
  const ref = refOf(block.header);
  const sent = messages.map((message): [string, Uint8Array] => [`withdrawals/message/${message.nonce}`, message.bytes]);
  const records = new Map([...place.records, ...sent, [SNAPSHOT_RECORD, Buffer.from(String(ref.number))] as const]);
  const heads = { unsafe: ref, safe: ref, finalized: ref };
  await database.apply({ block: written(block, ref.hash, receipts), heads, records });
  return ref.number;
}

function invalid(reason: string): NectarError<'ROLLUP_SNAPSHOT_INVALID'> {
  return new NectarError('ROLLUP_SNAPSHOT_INVALID', { reason });
}

async function need(frames: FrameReader): Promise<Uint8Array> {
  const bytes = await frames.next();
  if (bytes === undefined) throw invalid('it ends too early');
  return bytes;
}

function written(block: Block, hash: Hex, receipts: readonly Receipt[]) {
  return {
    hash,
    number: block.header.number,
    blockBytes: block.serialize(),
    receiptBytes: encodeReceipts(receipts),
    transactionHashes: receipts.map(({ transactionHash }) => transactionHash),
  };
}

function parseBlock(bytes: Uint8Array, rules: Rules): Block {
  try {
    return createBlockFromRLP(bytes, { common: rules });
  } catch {
    throw invalid('its block is malformed');
  }
}

async function checkBody(block: Block): Promise<void> {
  const isWhole = (await block.transactionsTrieIsValid()) && (await block.withdrawalsTrieIsValid());
  if (!isWhole) throw invalid('its block holds other transactions than its header says');
}

function parseReceipts(bytes: Uint8Array, block: Block, rules: Rules): readonly Receipt[] {
  let root: Hex;
  let receipts: readonly Receipt[];
  try {
    receipts = decodeReceipts(bytes);
    root = bytesToHex(orderedRoot(receipts.map(encodeConsensusReceipt), rules));
  } catch {
    throw invalid('its receipts are malformed');
  }
  const isOf = receipts.every(({ transactionHash }, i) => {
    const tx = block.transactions[i];
    return tx !== undefined && bytesToHex(tx.hash()) === transactionHash;
  });
  if (!isOf || root !== bytesToHex(block.header.receiptTrie))
    throw invalid('its receipts are others than its header says');
  return receipts;
}

async function readHeaders(
  frames: FrameReader,
  manifest: Manifest,
  header: BlockHeader,
): Promise<Map<Hex, Uint8Array>> {
  const headers = new Map([[bytesToHex(header.hash()), header.serialize()]]);
  let wanted = bytesToHex(header.parentHash);
  for (let i = 0; i < manifest.headers; i += 1) {
    const bytes = await need(frames);
    if (keccak256(bytes) !== wanted) throw invalid('a header is not the parent of the next');
    headers.set(wanted, Buffer.from(bytes));
    wanted = bytesToHex(createBlockHeaderFromRLP(bytes, { common: header.common }).parentHash);
  }
  if (manifest.headers !== Math.min(256, manifest.block)) throw invalid('it lacks headers');
  return headers;
}

async function readMessages(
  frames: FrameReader,
  { messages, sendRoot }: Manifest,
): Promise<readonly { nonce: bigint; bytes: Uint8Array }[]> {
  const read: { nonce: bigint; bytes: Uint8Array; leaf: Hex }[] = [];
  for (let i = 0; i < messages; i += 1) {
    const bytes = Buffer.from(await need(frames));
    try {
      const message = parseBigintJson(bytes) as SentMessage;
      if (message.nonce !== BigInt(i) || typeof message.block !== 'bigint') throw new TypeError('not a message');
      read.push({ nonce: message.nonce, bytes, leaf: leafOf(message) });
    } catch {
      throw invalid('a message to L1 is malformed');
    }
  }
  if (sendRootOf(read.map(({ leaf }) => leaf)) !== sendRoot)
    throw invalid('its messages to L1 are others than the send root says');
  return read;
}

async function readState(
  frames: FrameReader,
  root: Hex,
  { database, packState }: Pick<ImportDeps, 'database' | 'packState'>,
): Promise<void> {
  let serial = 1;
  let batch = new Map<Hex, Uint8Array>();
  let size = 0;
  const flush = async (): Promise<void> => {
    if (batch.size > 0) await database.apply({ operations: packState(batch, serial) });
    serial += 1;
    batch = new Map();
    size = 0;
  };
  await walkState(root, async (hash) => {
    const bytes = Buffer.from(await need(frames));
    if (keccak256(bytes) !== hash) throw invalid(`what it has under ${hash} hashes to something else`);
    batch.set(hash, bytes);
    size += bytes.length;
    if (size >= WRITE_BYTES) await flush();
    return bytes;
  });
  await flush();
}
