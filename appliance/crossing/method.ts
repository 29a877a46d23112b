import type { TSchema } from 'typebox';

const KIB_BYTES = 1024;
export const DEFAULT_TIMEOUT_MS = 60_000;
export const DEFAULT_MESSAGE_BYTES = 256 * KIB_BYTES;

/** What both halves of a crossing know of an operation. */
interface Operation<I extends TSchema> {
  readonly name: string;
  readonly input: I;
  /** Of one JSON message in this direction. */
  readonly maxInputBytes: number;
  readonly maxOutputBytes: number;
}

/** One message there, one back. */
export interface Unary<I extends TSchema, O extends TSchema> extends Operation<I> {
  readonly kind: 'unary';
  readonly output: O;
  readonly timeoutMs: number;
}

/** A message and bytes there, one message back. */
export interface Upload<I extends TSchema, O extends TSchema> extends Operation<I> {
  readonly kind: 'upload';
  readonly output: O;
}

/** A message there, a message and bytes back. */
export interface Download<I extends TSchema, H extends TSchema> extends Operation<I> {
  readonly kind: 'download';
  readonly head: H;
}

/** A message there; back, messages for as long as it takes, and a last one. */
export interface Feed<I extends TSchema, T extends TSchema, O extends TSchema> extends Operation<I> {
  readonly kind: 'feed';
  readonly item: T;
  readonly output: O;
}

type Given<M> = Omit<M, 'kind' | 'maxInputBytes' | 'maxOutputBytes' | 'timeoutMs'> & {
  readonly maxInputBytes?: number;
  readonly maxOutputBytes?: number;
};

const bounds = { maxInputBytes: DEFAULT_MESSAGE_BYTES, maxOutputBytes: DEFAULT_MESSAGE_BYTES };

export function unary<I extends TSchema, O extends TSchema>(
  given: Given<Unary<I, O>> & { readonly timeoutMs?: number },
): Unary<I, O> {
  return { kind: 'unary', timeoutMs: DEFAULT_TIMEOUT_MS, ...bounds, ...given };
}

export function upload<I extends TSchema, O extends TSchema>(given: Given<Upload<I, O>>): Upload<I, O> {
  return { kind: 'upload', ...bounds, ...given };
}

export function download<I extends TSchema, H extends TSchema>(given: Given<Download<I, H>>): Download<I, H> {
  return { kind: 'download', ...bounds, ...given };
}

export function feed<I extends TSchema, T extends TSchema, O extends TSchema>(
  given: Given<Feed<I, T, O>>,
): Feed<I, T, O> {
  return { kind: 'feed', ...bounds, ...given };
}
