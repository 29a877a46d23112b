import type { Static, TSchema } from 'typebox';
import { ERRORS, type ErrorCode, type ErrorData, NectarError } from '../../protocol/errors.ts';
import { encodeMessage, reviveMessage } from './codec.ts';
import { findMisfit } from './shape.ts';

/** Whose message of which operation it is, for the error when it is none. */
export interface Origin {
  readonly service: string;
  readonly operation: string;
}

/** Size was bounded by the reader; here shape, then value. @throws NectarError NODE_MESSAGE_INVALID */
export function parseMessage<S extends TSchema>(payload: Uint8Array, of: S, origin: Origin): Static<S> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (cause) {
    throw invalidMessage(origin, 'not JSON', cause);
  }
  const misfit = findMisfit(of, value);
  if (misfit !== undefined) throw invalidMessage(origin, misfit);
  return reviveMessage(value) as Static<S>;
}

export function invalidMessage(
  { service, operation }: Origin,
  problem: string,
  cause?: unknown,
): NectarError<'NODE_MESSAGE_INVALID'> {
  return new NectarError('NODE_MESSAGE_INVALID', { service, operation, problem }, { cause });
}

/** Code and data travel; the cause stays where the log is. */
export function encodeFailure({ code, data }: NectarError): Buffer {
  return encodeMessage({ code, data });
}

/** The NectarError that the other side threw; NODE_MESSAGE_INVALID when what it sent is none of the registry. */
export function parseFailure(payload: Uint8Array, origin: Origin): NectarError {
  try {
    const sent = JSON.parse(Buffer.from(payload).toString('utf8')) as { code?: unknown; data?: unknown };
    const { code } = sent;
    const data = reviveMessage(sent.data);
    const known = typeof code === 'string' && Object.hasOwn(ERRORS, code);
    if (known && typeof data === 'object' && data !== null) {
      // A text of the registry made with data of the wrong shape throws, and then it is no error of ours.
      return new NectarError(code as ErrorCode, data as ErrorData<ErrorCode>);
    }
  } catch (cause) {
    return invalidMessage(origin, 'not an error', cause);
  }
  return invalidMessage(origin, 'not an error of this version');
}
