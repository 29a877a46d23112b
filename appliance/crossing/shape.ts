import { Ajv, type ValidateFunction } from 'ajv';
import Type, { type TSchema } from 'typebox';

/** The wire form of a value of type T: a JSON schema, and T for the compiler. */
export interface Shape<T> {
  readonly schema: TSchema;
  readonly type?: T;
}

/** States that a schema describes the wire form of T. Both halves of a crossing use the same one, so it is said once. */
export function shape<T>(schema: TSchema): Shape<T> {
  return { schema };
}

const ajv = new Ajv({ strict: true, allErrors: false });
const compiled = new WeakMap<TSchema, ValidateFunction>();

/** Why a parsed message has not the shape; undefined when it has. Names place and rule, never the value. */
export function findMisfit({ schema }: Shape<unknown>, value: unknown): string | undefined {
  const validate = compiled.get(schema) ?? ajv.compile(schema);
  compiled.set(schema, validate);
  if (validate(value)) return undefined;
  const [first] = validate.errors ?? [];
  return `${first?.instancePath || 'it'} ${first?.message ?? 'is invalid'}`;
}

/** An object with these members and no other. */
export const exact = (properties: Record<string, TSchema>): TSchema =>
  Type.Object(properties, { additionalProperties: false });
export const text = (maxLength: number): TSchema => Type.String({ maxLength });
export const pattern = (regex: string, maxLength = 256): TSchema => Type.String({ pattern: regex, maxLength });
export const count: TSchema = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const optional = (schema: TSchema): TSchema => Type.Optional(schema);
export const list = (item: TSchema, maxItems: number): TSchema => Type.Array(item, { maxItems });
export const number: TSchema = Type.Number();
export const flag: TSchema = Type.Boolean();
export const nothing: TSchema = Type.Null();
/** Free JSON, bounded by the size of the message alone. */
export const anything: TSchema = Type.Unknown();
export const oneOf = (...values: string[]): TSchema => Type.Union(values.map((value) => Type.Literal(value)));
export const bytes = (maxBytes: number): TSchema =>
  exact({ $bytes: Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$', maxLength: 4 * Math.ceil(maxBytes / 3) }) });
export const bigint: TSchema = exact({ $bigint: pattern('^-?[0-9]+$', 80) });

const MAX_TEXT = 1024;
export const recordId: TSchema = text(MAX_TEXT);
export const cid: TSchema = pattern('^[a-z2-7]+$', 128);
export const peerId: TSchema = pattern('^[1-9A-HJ-NP-Za-km-z]+$', 128);
export const hex: TSchema = pattern('^0x[0-9a-fA-F]*$', 256 * 1024);
export const hash: TSchema = pattern('^[0-9a-f]{64}$', 64);

/** On whose behalf a call is made: goes into the audit log as it is. */
export const accessContext: TSchema = exact({
  actor: exact({ subject: text(MAX_TEXT), tokenId: optional(text(MAX_TEXT)), name: optional(text(MAX_TEXT)) }),
  address: optional(text(256)),
  requestId: text(256),
});

/** A map from names to texts and numbers. */
export const facts: TSchema = Type.Record(Type.String({ maxLength: 64 }), Type.Union([text(8192), Type.Number()]));
export const either = (...schemas: TSchema[]): TSchema => Type.Union(schemas);
export const nullable = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()]);
