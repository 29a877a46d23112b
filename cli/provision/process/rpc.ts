import { request } from 'undici';
import { NectarError } from '../../../protocol/errors.ts';

const TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** One JSON-RPC 2.0 call to a chain's endpoint. @throws NectarError CLI_NODE_UNREACHABLE, CLI_GATEWAY_ANSWER_INVALID */
export async function callRpc(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  let text: string;
  try {
    const answer = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (Number(answer.headers['content-length'] ?? 0) > MAX_ANSWER_BYTES) throw new Error('answer too large');
    text = await answer.body.text();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new NectarError('CLI_NODE_UNREACHABLE', { gateway: url, reason: code ?? message }, { cause: error });
  }
  const { result, error } = parse(text);
  if (error !== undefined)
    throw new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: `${method}: ${error.message ?? 'error'}` });
  return result;
}

function parse(text: string): { result?: unknown; error?: { message?: string } } {
  try {
    return JSON.parse(text) as { result?: unknown; error?: { message?: string } };
  } catch (error) {
    throw new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: 'not JSON' }, { cause: error });
  }
}
