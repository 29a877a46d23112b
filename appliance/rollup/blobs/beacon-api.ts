import type { Hex } from '../../../protocol/brand.ts';
import { BLOB_BYTES } from '../../../protocol/rollup/blob-batch.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { bytes, invalid, parseFields, parseList } from '../l1/field.ts';
import { readBounded } from '../l1/read-bounded.ts';
import { versionedHashOf } from './kzg-thread.ts';

/** The L1 block whose blobs are wanted, by its verified header. */
export interface BlobPlace {
  readonly hash: Hex;
  /** Seconds. */
  readonly timestamp: bigint;
}

/** One beacon node. What it says is unknown and hostile: a blob is what it should be only once it was checked. */
export interface BeaconApi {
  /** Blobs that the node offers for this versioned hash, none checked; empty: it has none. */
  blobs(place: BlobPlace, versionedHash: Hex, signal: AbortSignal): Promise<readonly Uint8Array[]>;
  /** The form of proofs that L1 takes blobs with at this time: of cells since the Fulu fork. */
  proofForm(timestamp: bigint, signal: AbortSignal): Promise<'blob' | 'cells'>;
}

export interface BeaconApiOptions {
  readonly url: string;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
}

/** What the chain's slots are counted by. A development L1 names no slot time: it knows its blocks by their own hash. */
interface SlotClock {
  readonly genesisTime: bigint;
  readonly slotMs: bigint | undefined;
  /** Slot of the Fulu fork; undefined: it is not planned. */
  readonly fuluSlot: bigint | undefined;
}

/** A block holds far fewer today; what is more is another kind of answer. */
const MAX_BLOBS_PER_BLOCK = 128;
const SLOTS_PER_EPOCH = 32n;

/** The Ethereum Beacon API, as far as blobs need it. Answers that cannot be right are thrown as ROLLUP_L1_RESPONSE_INVALID. */
export function createBeaconApi(options: BeaconApiOptions, request: typeof fetch): BeaconApi {
  const base = options.url.replace(/\/+$/, '');
  let clock: SlotClock | undefined;

  /** `data` of an answer; undefined when the node does not know what is asked for, or not how. */
  async function get(path: string, signal: AbortSignal): Promise<unknown> {
    const response = await request(`${base}${path}`, {
      headers: { accept: 'application/json' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]),
      redirect: 'error',
    });
    if (!response.ok) {
      await response.body?.cancel();
      if (response.status >= 400 && response.status < 500 && response.status !== 429) return undefined;
      throw invalid(`status ${response.status}`);
    }
    return parseFields(JSON.parse(await readBounded(response, options.maxResponseBytes)), 'beacon answer').data;
  }

  async function readClock(signal: AbortSignal): Promise<SlotClock> {
    if (clock !== undefined) return clock;
    const genesis = await get('/eth/v1/beacon/genesis', signal);
    if (genesis === undefined) throw invalid('beacon genesis');
    const genesisTime = decimal(parseFields(genesis, 'beacon genesis').genesis_time, 'genesis time');
    const answer = await get('/eth/v1/config/spec', signal);
    const spec = answer === undefined ? {} : parseFields(answer, 'beacon spec');
    clock = { genesisTime, slotMs: slotMsOf(spec), fuluSlot: fuluSlotOf(spec) };
    return clock;
  }

  async function slotAt(timestamp: bigint, signal: AbortSignal): Promise<bigint | undefined> {
    const { genesisTime, slotMs } = await readClock(signal);
    if (slotMs === undefined) return undefined;
    if (timestamp < genesisTime) throw invalid('beacon genesis time');
    return ((timestamp - genesisTime) * 1_000n) / slotMs;
  }

  return {
    async blobs({ hash, timestamp }, versionedHash, signal) {
      const id = (await slotAt(timestamp, signal)) ?? hash;
      const blobs = await get(`/eth/v1/beacon/blobs/${id}?versioned_hashes=${versionedHash}`, signal);
      if (blobs !== undefined) return parseList(blobs, 'blobs', MAX_BLOBS_PER_BLOCK).map(parseBlob);
      const sidecars = await get(`/eth/v1/beacon/blob_sidecars/${id}`, signal);
      // It knows no such block, or the time that it gave is not the chain's: asked anew.
      if (sidecars === undefined) clock = undefined;
      return sidecars === undefined ? [] : parseSidecars(sidecars, versionedHash);
    },
    async proofForm(timestamp, signal) {
      const slot = await slotAt(timestamp, signal);
      const { fuluSlot } = await readClock(signal);
      return slot !== undefined && fuluSlot !== undefined && slot >= fuluSlot ? 'cells' : 'blob';
    },
  };
}

/** Before Fulu: blobs with their commitments. One under another commitment is not looked at; that of this one is recomputed. */
function parseSidecars(answer: unknown, versionedHash: Hex): Uint8Array[] {
  const sidecars = parseList(answer, 'blob sidecars', MAX_BLOBS_PER_BLOCK).map((sidecar) =>
    parseFields(sidecar, 'blob sidecar'),
  );
  return sidecars
    .filter((sidecar) => versionedHashOf(bytes(sidecar, 'kzg_commitment', 48)) === versionedHash)
    .map(({ blob }) => parseBlob(blob));
}

function parseBlob(blob: unknown): Uint8Array {
  return hexToBytes(bytes({ 'blob encoding': blob }, 'blob encoding', BLOB_BYTES));
}

function slotMsOf(spec: Readonly<Record<string, unknown>>): bigint | undefined {
  if (spec.SECONDS_PER_SLOT !== undefined) return positive(spec.SECONDS_PER_SLOT, 'slot time') * 1_000n;
  return spec.SLOT_DURATION_MS === undefined ? undefined : positive(spec.SLOT_DURATION_MS, 'slot time');
}

function fuluSlotOf({ FULU_FORK_EPOCH, SLOTS_PER_EPOCH: perEpoch }: Readonly<Record<string, unknown>>) {
  if (FULU_FORK_EPOCH === undefined) return undefined;
  const slots = perEpoch === undefined ? SLOTS_PER_EPOCH : positive(perEpoch, 'slots per epoch');
  return decimal(FULU_FORK_EPOCH, 'fork epoch') * slots;
}

function decimal(value: unknown, what: string): bigint {
  if (typeof value !== 'string' || !/^\d{1,20}$/.test(value)) throw invalid(what);
  return BigInt(value);
}

function positive(value: unknown, what: string): bigint {
  const number = decimal(value, what);
  if (number === 0n) throw invalid(what);
  return number;
}
