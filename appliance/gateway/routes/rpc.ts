import Type from 'typebox';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';

const PARSE_ERROR = { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'parse error' } };
const JsonRpc = Type.Unknown({
  description: 'JSON-RPC 2.0: one call, or a batch of calls.',
  examples: [{ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] }],
});

const rpc = describeOperation({
  id: 'callRpc',
  tag: 'rpc',
  summary: "The node's L2 as Ethereum JSON-RPC",
  guard: { scope: 'rpc' },
  body: JsonRpc,
  response: {
    200: Type.Unknown({
      description: 'One answer, or one for each call.',
      examples: [{ jsonrpc: '2.0', id: 1, result: '0x2a' }],
    }),
    204: { description: 'The request held notifications only.', type: 'null' },
  },
});

/** Any content type is read as JSON: wallets and tools do not agree on one. */
export function addRpcRoute(server: GatewayServer, { deps: { rollup }, config }: RouteContext): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, async (_: unknown, text: string | Buffer) => {
    try {
      return { call: JSON.parse(String(text)) as unknown };
    } catch {
      return { call: undefined };
    }
  });

  server.post('/rpc', { ...rpc, bodyLimit: config.maxRpcBytes }, async (request, reply) => {
    const { call } = (request.body ?? {}) as { call?: unknown };
    if (call === undefined) return sendJson(PARSE_ERROR);
    if (Array.isArray(call) && call.length > config.maxRpcBatch) return sendJson(tooLong(config.maxRpcBatch));
    const answer = await rollup.rpc(call, request.access.actor.tokenId, request.gone);
    return answer === undefined ? reply.code(204).send() : sendJson(answer);

    function sendJson(value: unknown) {
      return reply.type('application/json').send(JSON.stringify(value));
    }
  });
}

function tooLong(limit: number): object {
  return { jsonrpc: '2.0', id: null, error: { code: -32600, message: `a batch holds at most ${limit} calls` } };
}
