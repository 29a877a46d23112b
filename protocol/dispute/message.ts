/**
 * A signed move as bytes, for the talk between the parties and the file of what was heard. Numbers are big-endian.
 *
 * version 1 (1) | round (1) | choice (1) | iteration (8) | step (8) | challenge (32) | prev (32) | start (32) | 32 points (1024)
 * in round 5:  blockHash (32) | sendRoot (32) | batch (8) | offset (8) | core (32) | input (32) | output (32) | flag (1)
 * signature (65)
 *
 * Root and end are not sent: they follow from the points.
 */
import { concatBytes } from '@noble/hashes/utils.js';
import type { Hex } from '../brand.ts';
import { ByteReader } from '../network/byte-reader.ts';
import { bytesToHex, hexToBytes } from '../rollup/bytes.ts';
import type { Flag, OpenedState } from './machine-state.ts';
import { hasOpenings, type Openings, type SignedMove } from './move.ts';
import { POINTS } from './points.ts';

const VERSION = 1;
const WORD_BYTES = 32;
const SIGNATURE_BYTES = 65;
const HIGHEST_FLAG = 2;
const OPENINGS_BYTES = 2 * WORD_BYTES + 16 + 3 * WORD_BYTES + 1;

/** The longest message: one of round 5. */
export const MAX_MOVE_BYTES = 19 + (3 + POINTS) * WORD_BYTES + OPENINGS_BYTES + SIGNATURE_BYTES;

export function encodeSignedMove({ move, openings, signature }: SignedMove): Uint8Array {
  const { round, choice, iteration, step, challenge, prev, start, points } = move;
  return concatBytes(
    Uint8Array.of(VERSION, round, choice),
    u64(iteration),
    u64(step),
    ...[challenge, prev, start, ...points].map(hexToBytes),
    ...(openings === undefined ? [] : encodeOpenings(openings)),
    hexToBytes(signature),
  );
}

/** Throws NETWORK_MESSAGE_INVALID. Says nothing of the signature, nor whether the move is valid. */
export function parseSignedMove(bytes: Uint8Array): SignedMove {
  const reader = new ByteReader(bytes, 'move');
  if (reader.u8() !== VERSION) throw reader.invalid('it is of another version');
  const [round, choice] = [reader.u8(), reader.u8()];
  const [iteration, step] = [reader.u64(), reader.u64()];
  const word = (): Hex => bytesToHex(reader.take(WORD_BYTES));
  const [challenge, prev, start] = [word(), word(), word()];
  const points = Array.from({ length: POINTS }, word);
  const openings = hasOpenings(round) ? parseOpenings(reader) : undefined;
  const signature = bytesToHex(reader.take(SIGNATURE_BYTES));
  reader.end();
  return { move: { challenge, round, choice, iteration, step, prev, start, points }, openings, signature };
}

function encodeOpenings({ before, end }: Openings): Uint8Array[] {
  const { blockHash, sendRoot, batch, offset } = before;
  const core = hexToBytes(`0x${end.core.toString(16).padStart(2 * WORD_BYTES, '0')}`);
  return [
    hexToBytes(blockHash),
    hexToBytes(sendRoot),
    u64(batch),
    u64(offset),
    core,
    end.input,
    end.output,
    Uint8Array.of(end.flag),
  ];
}

function parseOpenings(reader: ByteReader): Openings {
  const word = (): Uint8Array => reader.take(WORD_BYTES).slice();
  const before = {
    blockHash: bytesToHex(word()),
    sendRoot: bytesToHex(word()),
    batch: reader.u64(),
    offset: reader.u64(),
  };
  const state: Omit<OpenedState, 'flag'> = { core: BigInt(bytesToHex(word())), input: word(), output: word() };
  const flag = reader.u8();
  if (flag > HIGHEST_FLAG) throw reader.invalid('its flag is none');
  return { before, end: { ...state, flag: flag as Flag } };
}

function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}
