/**
 * The witness protocol: C2SP tlog-witness's `add-checkpoint` over a stream between members. One frame there, one back.
 *
 * request   "newest\n", or
 *           "vkey NAME+HASH+KEY\n" | "old SIZE\n" | consistency proof, a hash in base64 a line | "\n" | signed note
 * answer    type (1) and
 *             0x01 cosigned   the witness's signature line
 *             0x02 conflict   the log's own signed note that the witness last cosigned; empty when it has none
 *             0x03 refused    the reason (1)
 *             0x04 known      to "newest": the newest note of each log of the asking member, the largest first, with 0x00 between
 *
 * tlog-witness answers a conflict with a size alone; the whole note shows a log that was put back what it once signed.
 */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { NectarError } from '../errors.ts';
import { encodeBase64, parseBase64 } from '../merkle/base64.ts';
import { parseUtf8 } from '../merkle/text.ts';
import { MAX_PROOF_HASHES } from '../merkle/verify.ts';

/** A checkpoint of a log has some 200 bytes; room for its cosignatures. */
export const MAX_WITNESSED_NOTE_BYTES = 8 * 1024;
/** Largest encoded request in bytes. */
export const MAX_WITNESS_REQUEST_BYTES = MAX_WITNESSED_NOTE_BYTES + 1024 + MAX_PROOF_HASHES * 45;
/** Largest encoded answer in bytes. */
export const MAX_WITNESS_ANSWER_BYTES = 1 + MAX_WITNESSED_NOTE_BYTES;

/** Why a witness does not cosign. */
export const WITNESS_REFUSALS = ['stranger', 'malformed', 'inconsistent', 'busy', 'failed'] as const;
export type WitnessRefusal = (typeof WITNESS_REFUSALS)[number];

export interface WitnessRequest {
  /** The log's key, NAME+HASH+KEY. */
  readonly vkey: string;
  /** Size of the checkpoint that the witness has, as the log believes. */
  readonly old: number;
  /** Consistency proof from that size, 32 bytes each. */
  readonly proof: readonly Uint8Array[];
  /** The new checkpoint, a signed note. */
  readonly note: string;
}

/** Logs of one member that a witness remembers: its log, and a successor after each restore. */
export const MAX_KNOWN_NOTES = 16;
const RECALL = 'newest\n';
/** In no note: C2SP signed notes have no control character but the line end. */
const SEPARATOR = '\0';

export type WitnessAnswer =
  | { readonly type: 'cosigned'; readonly line: string }
  | { readonly type: 'conflict'; readonly note: string }
  | { readonly type: 'refused'; readonly reason: WitnessRefusal }
  | { readonly type: 'known'; readonly notes: readonly string[] };

const TYPE = { cosigned: 0x01, conflict: 0x02, refused: 0x03, known: 0x04 } as const;

export function encodeWitnessRequest({ vkey, old, proof, note }: WitnessRequest): Uint8Array {
  return utf8ToBytes([`vkey ${vkey}`, `old ${old}`, ...proof.map(encodeBase64), '', note].join('\n'));
}

/** Asks what the witness knows of the logs of whoever asks: the handshake says who that is. */
export function encodeWitnessRecall(): Uint8Array {
  return utf8ToBytes(RECALL);
}

export function isWitnessRecall(bytes: Uint8Array): boolean {
  return bytes.length === RECALL.length && parseUtf8(bytes) === RECALL;
}

/** Throws NETWORK_MESSAGE_INVALID or AUDIT_NOTE_INVALID. Verifies nothing. */
export function parseWitnessRequest(bytes: Uint8Array): WitnessRequest {
  const text = parseUtf8(bytes) ?? refuse('request', 'it is not UTF-8');
  const split = text.indexOf('\n\n');
  const [vkeyLine = '', oldLine = '', ...proof] = text.slice(0, Math.max(0, split)).split('\n');
  const vkey = /^vkey (\S{1,512})$/.exec(vkeyLine)?.[1] ?? refuse('request', 'it names no key');
  const old = Number(/^old (0|[1-9]\d{0,15})$/.exec(oldLine)?.[1] ?? refuse('request', 'it names no old size'));
  if (!Number.isSafeInteger(old) || proof.length > MAX_PROOF_HASHES) refuse('request', 'out of bounds');
  const hashes = proof.map(parseBase64);
  if (hashes.some(({ length }) => length !== 32)) refuse('request', 'a hash is not 32 bytes');
  return { vkey, old, proof: hashes, note: text.slice(split + 2) };
}

export function encodeWitnessAnswer(answer: WitnessAnswer): Uint8Array {
  if (answer.type === 'refused') return Uint8Array.of(TYPE.refused, WITNESS_REFUSALS.indexOf(answer.reason));
  const text = utf8ToBytes(
    answer.type === 'cosigned' ? answer.line : answer.type === 'known' ? joinNotes(answer.notes) : answer.note,
  );
  return Uint8Array.from([TYPE[answer.type], ...text]);
}

/** Throws NETWORK_MESSAGE_INVALID. */
export function parseWitnessAnswer(bytes: Uint8Array): WitnessAnswer {
  const [type, ...rest] = bytes;
  if (type === TYPE.refused) {
    const reason = rest.length === 1 ? WITNESS_REFUSALS[rest[0] ?? -1] : undefined;
    return { type: 'refused', reason: reason ?? refuse('answer', 'unknown reason') };
  }
  const text = parseUtf8(bytes.subarray(1)) ?? refuse('answer', 'it is not UTF-8');
  if (type === TYPE.cosigned) return { type: 'cosigned', line: text };
  if (type === TYPE.conflict) return { type: 'conflict', note: text };
  if (type !== TYPE.known) return refuse('answer', 'unknown type');
  const notes = text === '' ? [] : text.split(SEPARATOR);
  return notes.length > MAX_KNOWN_NOTES ? refuse('answer', 'too many notes') : { type: 'known', notes };
}

/** As many as an answer has room for. */
function joinNotes(notes: readonly string[]): string {
  let joined = '';
  for (const note of notes.slice(0, MAX_KNOWN_NOTES)) {
    const next = joined === '' ? note : `${joined}${SEPARATOR}${note}`;
    if (utf8ToBytes(next).length < MAX_WITNESS_ANSWER_BYTES) joined = next;
  }
  return joined;
}

function refuse(part: string, problem: string): never {
  throw new NectarError('NETWORK_MESSAGE_INVALID', { message: `witness ${part}`, problem });
}
