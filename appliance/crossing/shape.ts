import { Ajv, type ValidateFunction } from 'ajv';
import Type, {
  type Static,
  type TInteger,
  type TNull,
  type TObject,
  type TOptional,
  type TProperties,
  type TSchema,
  type TUnion,
  type TUnsafe,
} from 'typebox';
import type { Cid, LeafHash, PeerIdText, RecordId, RootHash } from '../../protocol/brand.ts';

/**
 * The wire form of values, and their type, which follows from it: `Static<typeof meta>`. What JSON has no form for (bytes, bigints) has
 * the type that the codec makes of it.
 */
const ajv = new Ajv({ strict: true, strictTuples: false, allErrors: false });
const compiled = new WeakMap<TSchema, ValidateFunction>();

/** Why a parsed message has not the shape; undefined when it has. Names place and rule, never the value. */
export function findMisfit(schema: TSchema, value: unknown): string | undefined {
  const validate = compiled.get(schema) ?? ajv.compile(schema);
  compiled.set(schema, validate);
  if (validate(value)) return undefined;
  const [first] = validate.errors ?? [];
  return `${first?.instancePath || 'it'} ${first?.message ?? 'is invalid'}`;
}

/** A schema whose values have a type that JSON schema cannot say: a brand, or what the codec makes of it. */
const typed = <T>(schema: TSchema): TUnsafe<T> => Type.Unsafe<T>(schema);

/** An object with these members and no other. */
export const exact = <P extends TProperties>(properties: P): TObject<P> =>
  Type.Object(properties, { additionalProperties: false });
export const text = (maxLength: number) => Type.String({ maxLength });
export const pattern = (regex: string, maxLength = 256) => Type.String({ pattern: regex, maxLength });
export const count: TInteger = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const optional = <S extends TSchema>(schema: S): TOptional<S> => Type.Optional(schema) as TOptional<S>;
export const list = <S extends TSchema>(item: S, maxItems: number): TUnsafe<readonly Static<S>[]> =>
  typed(Type.Array(item, { maxItems }));
export const number = Type.Number();
export const flag = Type.Boolean();
export const nothing: TNull = Type.Null();
/** The answer of a call that has none. */
export const done: TUnsafe<void> = typed(Type.Null());
/** Free JSON, bounded by the size of the message alone. */
export const anything = Type.Unknown();
/** An object of free JSON. */
export const settings: TUnsafe<Readonly<Record<string, unknown>>> = typed(
  Type.Record(Type.String({ maxLength: 64 }), Type.Unknown()),
);
/** Free JSON whose reader only shows it: not looked into here, whatever its type says. */
export const shown = <T>(): TUnsafe<T> => typed(Type.Unknown());
export const exactly = <const V extends string | number | boolean>(value: V): TUnsafe<V> => typed(Type.Literal(value));
export const oneOf = <const V extends readonly string[]>(...values: V): TUnsafe<V[number]> =>
  typed(Type.Union(values.map((value) => Type.Literal(value))));
export const bytes = (maxBytes: number): TUnsafe<Uint8Array> =>
  typed(exact({ $bytes: Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$', maxLength: 4 * Math.ceil(maxBytes / 3) }) }));

const MAX_TEXT = 1024;
export const recordId: TUnsafe<RecordId> = typed(text(MAX_TEXT));
export const cid: TUnsafe<Cid> = typed(pattern('^[a-z2-7]+$', 128));
export const peerId: TUnsafe<PeerIdText> = typed(pattern('^[1-9A-HJ-NP-Za-km-z]+$', 128));
export const hash = pattern('^[0-9a-f]{64}$', 64);
export const rootHash: TUnsafe<RootHash> = typed(hash);
export const leafHash: TUnsafe<LeafHash> = typed(hash);

/** The public halves of the node's identities, as its roles tell them to each other. */
export const publicIdentity = exact({
  nodeId: pattern('^[0-9a-f]{32}$', 32),
  peerId: pattern('^[1-9A-HJ-NP-Za-km-z]{20,80}$', 80),
  operator: pattern('^0x[0-9a-f]{40}$', 42),
  checkpointVkey: text(512),
  tokenJwk: exact({ kty: exactly('OKP'), crv: exactly('Ed25519'), x: pattern('^[A-Za-z0-9_-]{43}$', 43) }),
});

/** On whose behalf a call is made: goes into the audit log as it is. */
export const accessContext = exact({
  actor: exact({ subject: text(MAX_TEXT), tokenId: optional(text(MAX_TEXT)), name: optional(text(MAX_TEXT)) }),
  address: optional(text(256)),
  requestId: text(256),
});

/** A map from names to texts and numbers. */
export const facts: TUnsafe<Record<string, string | number>> = typed(
  Type.Record(Type.String({ maxLength: 64 }), Type.Union([text(8192), Type.Number()])),
);
/** A map from names to numbers. */
export const counts: TUnsafe<Readonly<Record<string, number>>> = typed(
  Type.Record(Type.String({ maxLength: 64 }), Type.Number()),
);
/** A map from names to texts. */
export const texts: TUnsafe<Readonly<Record<string, string>>> = typed(
  Type.Record(Type.String({ maxLength: 64 }), text(8192)),
);
export const either = <S extends TSchema[]>(...schemas: [...S]): TUnion<S> => Type.Union(schemas);
export const nullable = <S extends TSchema>(schema: S): TUnsafe<Static<S> | null> =>
  typed(Type.Union([schema, Type.Null()]));

/** The arguments of a call in their order; those at the end may be absent, never one in between. */
export function tuple(items: readonly TSchema[], required: number): TUnsafe<unknown[]> {
  return typed({
    type: 'array',
    ...(items.length > 0 && { items: [...items], additionalItems: false }),
    minItems: required,
    maxItems: items.length,
  } as TSchema);
}
