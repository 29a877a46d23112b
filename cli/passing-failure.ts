import { type ErrorCode, isNectarError, NectarError } from '../protocol/errors.ts';

/** The first wait before a request is tried again, and the longest: each is twice the one before. */
export const FIRST_WAIT_MS = 500;
export const LONGEST_WAIT_MS = 15_000;
/** So long without a byte more, and a transfer is given up. */
export const GIVE_UP_MS = 10 * 60_000;

/** What a node that restarts, or a network that is gone for a moment, answers with. */
const PASSING: readonly ErrorCode[] = [
  'CLI_NODE_UNREACHABLE',
  'GATEWAY_BUSY',
  'GATEWAY_TOKEN_BUSY',
  'GATEWAY_STOPPING',
  'GATEWAY_UPLOAD_STALLED',
  'GATEWAY_UPLOAD_ABORTED',
  'NODE_NOT_READY',
  'NODE_CONNECTION_LOST',
  'KEY_LOCKED',
  'STORE_UPLOAD_OFFSET',
  'STORE_UPLOAD_CONTINUED',
];

/** Whether the same request may well succeed in a moment. */
export function isPassing(error: unknown): error is NectarError {
  // A HEAD answers without a body, so without a code of ours: a busy or locked node is 429 or 503.
  if (isNectarError(error, 'CLI_GATEWAY_PROBLEM')) return [408, 409, 429, 502, 503].includes(error.data.status);
  return error instanceof NectarError && PASSING.includes(error.code);
}
