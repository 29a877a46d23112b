import type { Static, TSchema } from 'typebox';
import { DEFAULT_MESSAGE_BYTES, DEFAULT_TIMEOUT_MS } from './method.ts';

/**
 * What a crossing carries, stated once: its calls, each with its arguments in the order of the service's own method. The types of both
 * halves (ClientOf, ServerOf), the halves themselves (client-of.ts, routes-of.ts) and the check of every message follow from it.
 */
export interface Contract<C extends Calls = Calls> {
  /** On the wire a call is `name.key`. */
  readonly name: string;
  readonly calls: C;
}

export type Calls = Readonly<Record<string, Call>>;

export function contract<const C extends Calls>(name: string, calls: C): Contract<C> {
  return { name, calls };
}

export interface Call<A extends readonly Argument[] = readonly Argument[], R extends Result = Result> {
  readonly args: A;
  readonly returns: R;
  /** For an answer of one message; a stream lasts as long as it lasts. */
  readonly timeoutMs: number;
  /** Of one JSON message in this direction. */
  readonly maxInputBytes: number;
  readonly maxOutputBytes: number;
  /** The pieces of its bodies are nobody else's (RouteOptions). */
  readonly freesPieces: boolean;
}

const DEFAULTS = {
  timeoutMs: DEFAULT_TIMEOUT_MS,
  maxInputBytes: DEFAULT_MESSAGE_BYTES,
  maxOutputBytes: DEFAULT_MESSAGE_BYTES,
  freesPieces: false,
};

export function call<const A extends readonly Argument[], R extends Result>(
  given: Pick<Call<A, R>, 'args' | 'returns'> & Partial<Call<A, R>>,
): Call<A, R> {
  return { ...DEFAULTS, ...given };
}

/** An argument: one that crosses as JSON, by its schema, or one that does not. */
export type Argument = TSchema | Special;
export type Special =
  | { readonly arg: 'signal' | 'optional signal' | 'timeout' | 'body' }
  | { readonly arg: 'piece'; readonly maxBytes: number; readonly isSecret: boolean }
  | { readonly arg: 'newest' | 'every'; readonly item: TSchema };

/** The caller's: its abort ends the call on the other side, too. */
export const SIGNAL = { arg: 'signal' } as const;
export const OPTIONAL_SIGNAL = { arg: 'optional signal' } as const;
/** How long the caller waits, in place of the call's own time; the serving side does not hear of it. */
export const TIMEOUT = { arg: 'timeout' } as const;
/** Bytes of any length, with back-pressure. */
export const BODY = { arg: 'body' } as const;
/** Bytes in one piece, which do not become text on their way. */
export const piece = (maxBytes: number) => ({ arg: 'piece', maxBytes, isSecret: false }) as const;
/** The same; the serving side wipes its copy when the call is over. */
export const secret = (maxBytes: number) => ({ arg: 'piece', maxBytes, isSecret: true }) as const;
/** A function that is told how far it is: of what it is told faster than the caller takes it, the newest counts. */
export const newest = <S extends TSchema>(item: S) => ({ arg: 'newest', item }) as const;
/** A function that gets every item; its promise is the back-pressure. */
export const every = <S extends TSchema>(item: S) => ({ arg: 'every', item }) as const;

/** What comes back: one JSON value by its schema, or one of these. */
export type Result = TSchema | SpecialResult;
export type SpecialResult =
  | { readonly result: 'opened'; readonly head: TSchema }
  | { readonly result: 'stream' }
  | { readonly result: 'found'; readonly maxBytes: number }
  | { readonly result: 'items'; readonly item: TSchema };

/** What is said of a body, and the body: `{ ...head, body }`. */
export const opened = <S extends TSchema>(head: S) => ({ result: 'opened', head }) as const;
/** Bytes of any length. */
export const STREAM = { result: 'stream' } as const;
/** Bytes in one piece, or none. */
export const found = (maxBytes: number) => ({ result: 'found', maxBytes }) as const;
/** Items, one after the other, as the consumer asks for them. */
export const items = <S extends TSchema>(item: S) => ({ result: 'items', item }) as const;

type ValueOf<A> = A extends { readonly arg: 'signal' | 'optional signal' }
  ? AbortSignal
  : A extends { readonly arg: 'timeout' }
    ? number
    : A extends { readonly arg: 'body' }
      ? AsyncIterable<Uint8Array>
      : A extends { readonly arg: 'piece' }
        ? Uint8Array
        : A extends { readonly arg: 'newest'; readonly item: infer S extends TSchema }
          ? (item: Static<S>) => void
          : A extends TSchema
            ? Static<A>
            : never;

type EveryOf<A, Given> = A extends { readonly arg: 'every'; readonly item: infer S extends TSchema }
  ? (item: Static<S>) => Given
  : ValueOf<A>;

type IsOptional = { readonly '~optional': true } | { readonly arg: 'optional signal' };

type CallerArgs<A> = A extends readonly [infer Head, ...infer Rest]
  ? Head extends IsOptional
    ? [value?: ValueOf<Head> | undefined, ...CallerArgs<Rest>]
    : [EveryOf<Head, Promise<void> | void>, ...CallerArgs<Rest>]
  : [];

type ServedArgs<A> = A extends readonly [infer Head, ...infer Rest]
  ? Head extends { readonly arg: 'timeout' }
    ? ServedArgs<Rest>
    : Head extends { readonly '~optional': true }
      ? [value: ValueOf<Head> | undefined, ...ServedArgs<Rest>]
      : [EveryOf<Head, Promise<void>>, ...ServedArgs<Rest>]
  : [];

type Bytes = AsyncGenerator<Uint8Array, void, void>;

type CallerResult<R> = R extends { readonly result: 'opened'; readonly head: infer S extends TSchema }
  ? Promise<Static<S> & { readonly body: Bytes }>
  : R extends { readonly result: 'stream' }
    ? Promise<Bytes>
    : R extends { readonly result: 'found' }
      ? Promise<Uint8Array | undefined>
      : R extends { readonly result: 'items'; readonly item: infer S extends TSchema }
        ? AsyncGenerator<Static<S>, void, void>
        : R extends TSchema
          ? Promise<Static<R>>
          : never;

type ServedResult<R> = R extends { readonly result: 'opened'; readonly head: infer S extends TSchema }
  ? Promise<Static<S> & { readonly body: AsyncIterable<Uint8Array> }>
  : R extends { readonly result: 'stream' }
    ? AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>
    : R extends { readonly result: 'found' }
      ? Promise<Uint8Array | undefined>
      : R extends { readonly result: 'items'; readonly item: infer S extends TSchema }
        ? AsyncIterable<Static<S>>
        : R extends TSchema
          ? Promise<Static<R>> | Static<R>
          : never;

/** The calling half of a contract: an object with the service's own methods. */
export type ClientOf<C extends Calls> = {
  readonly [K in keyof C]: (...args: CallerArgs<C[K]['args']>) => CallerResult<C[K]['returns']>;
};

/** What serves a contract: the service itself where its methods are those of the contract. */
export type ServerOf<C extends Calls> = {
  readonly [K in keyof C]: (...args: ServedArgs<C[K]['args']>) => ServedResult<C[K]['returns']>;
};
