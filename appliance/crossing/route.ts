import type { Static, TSchema } from 'typebox';
import { encodeMessage } from './codec.ts';
import { type Origin, parseMessage } from './message.ts';
import type { Download, Feed, Unary, Upload } from './method.ts';

/** One call, as the serving side has it. */
export interface Call {
  readonly input: Uint8Array;
  /** The bytes of an upload. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Resolves when the caller takes more: a slow reader slows the source. */
  send(type: 'item' | 'data', payload: Uint8Array): Promise<void>;
  /** The caller left. */
  readonly gone: AbortSignal;
}

export interface RouteOptions {
  /**
   * The pieces of its bodies are nobody else's: an upload's handler is done with one when it asks for the next, a download's
   * when it has given it away. Their memory is given back at once.
   */
  readonly freesPieces?: boolean;
}

/** One operation of a crossing, served. */
export interface Route {
  readonly name: string;
  readonly maxInputBytes: number;
  readonly takesBody: boolean;
  readonly freesPieces: boolean;
  /** Resolves with the last message of the answer; what it throws is the answer too. */
  serve(call: Call): Promise<Buffer>;
}

export function unaryRoute<I extends TSchema, O extends TSchema>(
  method: Unary<I, O>,
  handle: (input: Static<I>, gone: AbortSignal) => Promise<Static<O>> | Static<O>,
): Route {
  return route(method, async (input, { gone }) => encodeMessage(await handle(input, gone)));
}

export function uploadRoute<I extends TSchema, O extends TSchema>(
  method: Upload<I, O>,
  handle: (input: Static<I>, body: AsyncIterable<Uint8Array>, gone: AbortSignal) => Promise<Static<O>>,
  options: RouteOptions = {},
): Route {
  return route(method, async (input, { body, gone }) => encodeMessage(await handle(input, body, gone)), options);
}

export function downloadRoute<I extends TSchema, H extends TSchema>(
  method: Download<I, H>,
  handle: (input: Static<I>, gone: AbortSignal) => Promise<{ head: Static<H>; body: AsyncIterable<Uint8Array> }>,
  options: RouteOptions = {},
): Route {
  const serve = async (input: Static<I>, { send, gone }: Call): Promise<Buffer> => {
    const { head, body } = await handle(input, gone);
    // Not waited for: it leaves together with the first of the body.
    send('item', encodeMessage(head)).catch(() => undefined);
    for await (const piece of body) if (piece.length > 0) await send('data', piece);
    return encodeMessage(null);
  };
  return route(method, serve, options);
}

export function feedRoute<I extends TSchema, T extends TSchema, O extends TSchema>(
  method: Feed<I, T, O>,
  handle: (input: Static<I>, send: (item: Static<T>) => Promise<void>, gone: AbortSignal) => Promise<Static<O>>,
): Route {
  return route(method, async (input, { send, gone }) =>
    encodeMessage(await handle(input, (item) => send('item', encodeMessage(item)), gone)),
  );
}

type Method<I extends TSchema> = Pick<Unary<I, TSchema>, 'name' | 'input' | 'maxInputBytes'> & {
  readonly kind: string;
};

function route<I extends TSchema>(
  method: Method<I>,
  serve: (input: Static<I>, call: Call) => Promise<Buffer>,
  { freesPieces = false }: RouteOptions = {},
): Route {
  const { name, maxInputBytes } = method;
  return {
    name,
    maxInputBytes,
    takesBody: method.kind === 'upload',
    freesPieces,
    serve: (call) => serve(parseMessage(call.input, method.input, callerOf(name)), call),
  };
}

export function callerOf(operation: string): Origin {
  return { service: 'the caller', operation };
}
