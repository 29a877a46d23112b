import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import type { RootHash } from '../../protocol/brand.ts';
import { parseBodySecret } from '../../protocol/envelope/body-secret.ts';
import { NectarError } from '../../protocol/errors.ts';
import { canonicalBytes } from '../../protocol/merkle/audit-leaf.ts';
import type { DeclaredEpoch } from './declared-epoch.ts';
import { type Disk, writeError } from './disk.ts';

const MAX_HEADS = 64;
const MAX_FILE_BYTES = 256 * 1024;

const Root = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Size = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Head = Type.Object(
  {
    size: Size,
    root: Root,
    where: Type.String({ maxLength: 256 }),
    /** When it left the machine, or was seen outside: milliseconds. */
    at: Type.Integer({ minimum: 0 }),
    /** The epoch of this log that signed it, where its note says so: no such head is of a stretch that this epoch declares lost. */
    epoch: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { additionalProperties: false },
);
const Conflict = Type.Object(
  {
    code: Type.Union([Type.Literal('AUDIT_TRUNCATED'), Type.Literal('AUDIT_FORKED')]),
    head: Head,
    /** The log as it was when the head was held against it. */
    size: Size,
    root: Root,
    at: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);
const Declared = Type.Object(
  {
    ...{ number: Size, start: Size, origin: Type.String({ maxLength: 256 }), at: Size, from: Size },
    cause: Type.Union([Type.Literal('restore'), Type.Literal('resolve')]),
    outside: Type.Optional(
      Type.Object({ size: Size, root: Root, where: Type.String({ maxLength: 256 }) }, { additionalProperties: false }),
    ),
    lost: Type.Optional(Size),
  },
  { additionalProperties: false },
);
const Known = Type.Object(
  {
    heads: Type.Array(Head, { maxItems: MAX_HEADS }),
    conflict: Type.Union([Conflict, Type.Null()]),
    /** What the log's first `upTo` leaves declare, so that a start need not read them all. */
    declared: Type.Object({ upTo: Size, epochs: Type.Array(Declared) }, { additionalProperties: false }),
  },
  { additionalProperties: false },
);
const Sealed = Type.Object({ v: Type.Literal(1), mac: Root, known: Known }, { additionalProperties: false });

/** A tree head of this log that left the machine: anchored on the chain, cosigned by a witness, told by an operator. */
export type ExternalHead = Omit<Static<typeof Head>, 'root'> & { readonly root: RootHash };
/** The log contradicts a head that left the machine; kept, with both sides, until an operator resolves it. */
export type Conflict = Omit<Static<typeof Conflict>, 'head' | 'root'> & {
  readonly head: ExternalHead;
  readonly root: RootHash;
};

export interface KnownHeads {
  readonly heads: readonly ExternalHead[];
  readonly conflict: Conflict | null;
  readonly declared: { readonly upTo: number; readonly epochs: readonly DeclaredEpoch[] };
}

/** `external` below the log: heads that left, and the conflict that bars it. Under a MAC, since it decides what is served. */
const KNOWN_HEADS_PATH = 'external';

export interface KnownHeadsFile {
  /** Empty when there is none: it is made anew from what is known outside. Throws AUDIT_BUNDLE_INVALID. */
  load(): Promise<KnownHeads>;
  save(known: KnownHeads): Promise<void>;
}

const MAC_PURPOSE = 'nectar/audit-external/1';

/** @param bodyKey the secret of bodies; the file's own key is derived from it */
export function createKnownHeadsFile(disk: Disk, bodyKey: Uint8Array): KnownHeadsFile {
  const mac = createFileMac(bodyKey, MAC_PURPOSE);
  return {
    async load() {
      const bytes = await disk.read(KNOWN_HEADS_PATH);
      if (bytes === undefined) return { heads: [], conflict: null, declared: { upTo: 0, epochs: [] } };
      const sealed = parseSealed(bytes);
      if (sealed === undefined || !mac.isOf(sealed.known, sealed.mac))
        throw new NectarError('AUDIT_BUNDLE_INVALID', {
          path: KNOWN_HEADS_PATH,
          reason: 'it does not authenticate; it may be removed: what is known outside is asked for again',
        });
      return sealed.known as unknown as KnownHeads; // its roots were checked by the schema
    },
    async save(known) {
      const bytes = canonicalBytes({ v: 1, mac: mac.make(known), known });
      try {
        await disk.replace([{ path: KNOWN_HEADS_PATH, bytes }]);
      } catch (error) {
        throw writeError(error, KNOWN_HEADS_PATH);
      }
    },
  };
}

/** The heads with one more, the largest first; the same one again changes nothing. */
export function withHead(heads: readonly ExternalHead[], head: ExternalHead): readonly ExternalHead[] {
  if (heads.some(({ size, root }) => size === head.size && root === head.root)) return heads;
  return [...heads, head].sort((a, b) => b.size - a.size).slice(0, MAX_HEADS);
}

/** Marks of files beside the log, under keys of their own purpose. */
export interface FileMac {
  /** HMAC-SHA256 of a value's canonical JSON, hex, by the newest key of bodies. */
  make(value: object): string;
  /** Whether any key of the secret made it. */
  isOf(value: object, mac: string): boolean;
}

/** Its keys are derived here: the secret is not needed afterwards. */
export function createFileMac(bodyKey: Uint8Array, purpose: string): FileMac {
  const derive = (key: Uint8Array): Uint8Array => new Uint8Array(hkdfSync('sha256', key, '', purpose, 32));
  const [newest, ...former] = parseBodySecret(bodyKey);
  const keys = [derive(newest), ...former.map(derive)] as const;
  const by = (key: Uint8Array, value: object): string =>
    createHmac('sha256', key).update(canonicalBytes(value)).digest('hex');
  return {
    make: (value) => by(keys[0], value),
    isOf: (value, mac) => keys.some((key) => isSame(mac, by(key, value))),
  };
}

function isSame(mac: string, expected: string): boolean {
  const [a, b] = [Buffer.from(mac), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function parseSealed(bytes: Uint8Array): Static<typeof Sealed> | undefined {
  if (bytes.length > MAX_FILE_BYTES) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return Check(Sealed, value) ? value : undefined;
  } catch {
    return undefined;
  }
}
