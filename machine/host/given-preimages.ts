/** Preimages that are handed over whole before a call, to a machine that cannot ask its host's records. */
import { type InboxPreimageKind, numberOf, type PreimageKind, type Preimages } from './instance.ts';
import { createWireReader, createWireWriter } from './wire.ts';

export interface ListedPreimage {
  readonly kind: PreimageKind | InboxPreimageKind;
  /** 32 bytes. */
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
}

export interface GivenPreimages {
  /** What `encodePreimages` made. */
  readonly list: Uint8Array;
  /**
   * Inbox's accumulators, of which a batch may name millions, the newest first: pairs of words. The first word of a pair is the
   * hash of the pair after it, so that no hash is said twice; the first pair only names the newest accumulator.
   */
  readonly links: Uint8Array;
}

const HASH_BYTES = 32;
const LINK_BYTES = 2 * HASH_BYTES;

/** As the machine writes what is fresh: (kind 1, hash 32, length 4, bytes)*. */
export function encodePreimages(listed: Iterable<ListedPreimage>): Uint8Array {
  const writer = createWireWriter();
  for (const { kind, hash, bytes } of listed) {
    writer.u8(numberOf(kind));
    writer.bytes(hash);
    writer.blob(bytes);
  }
  return writer.finish();
}

/** Answers with what was given and nothing else. The links are read once, in their order, as a walk does. */
export function openPreimages({ list, links }: GivenPreimages): Required<Preimages> {
  const byName = new Map<string, Uint8Array>();
  const reader = createWireReader(list);
  while (!reader.isAtEnd()) {
    const kind = reader.u8();
    byName.set(nameOf(kind, reader.bytes(HASH_BYTES)), reader.blob());
  }
  let at = 0;
  const nextLink = (hash: Uint8Array): Uint8Array | undefined => {
    const next = at + LINK_BYTES;
    if (next + LINK_BYTES > links.length || !hash.every((byte, i) => byte === links[at + i])) return undefined;
    at = next;
    return links.subarray(next, next + LINK_BYTES);
  };
  const find = (kind: PreimageKind | InboxPreimageKind, hash: Uint8Array) => byName.get(nameOf(numberOf(kind), hash));
  return {
    get: find,
    getInbox: (kind, hash) => (kind === 'accumulator' ? nextLink(hash) : undefined) ?? find(kind, hash),
  };
}

function nameOf(kind: number, hash: Uint8Array): string {
  return String.fromCharCode(kind, ...hash);
}
