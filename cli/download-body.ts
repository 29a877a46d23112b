import { NectarError } from '../protocol/errors.ts';
import { contentRangeLength } from './byte-range.ts';
import type { Answer } from './client.ts';

/** How many bytes the node promises; undefined for a CAR, which is made as it is sent. */
export function promisedBytes({ headers, statusCode }: Answer): number | undefined {
  const length = typeof headers['content-length'] === 'string' ? Number(headers['content-length']) : undefined;
  if (statusCode !== 206) return length;
  const ranged = contentRangeLength(
    typeof headers['content-range'] === 'string' ? headers['content-range'] : undefined,
  );
  if (ranged === undefined)
    throw new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: 'a range without Content-Range' });
  return ranged;
}

/** A body that ends early is an error, never a short file: the node breaks off where bytes do not authenticate. */
export async function* checkedBody(
  answer: Answer,
  expected: number | undefined,
  gateway: string,
): AsyncGenerator<Uint8Array> {
  let received = 0;
  try {
    for await (const chunk of answer.body) {
      received += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    if (expected !== undefined)
      throw new NectarError('CLI_TRANSFER_TRUNCATED', { expected, received }, { cause: error });
    throw new NectarError('CLI_NODE_UNREACHABLE', { gateway, reason: 'the connection broke' }, { cause: error });
  }
  if (expected !== undefined && received !== expected)
    throw new NectarError('CLI_TRANSFER_TRUNCATED', { expected, received });
}
