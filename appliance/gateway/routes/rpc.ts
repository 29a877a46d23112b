import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { JSON_RPC_PARSE_ERROR, tooManyCalls } from '../rpc-answers.ts';

const JsonRpc = Type.Unknown({
  description: 'JSON-RPC 2.0: one call, or a batch of calls.',
  examples: [{ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] }],
});
const answers = {
  200: Type.Unknown({
    description: 'One answer, or one for each call.',
    examples: [{ jsonrpc: '2.0', id: 1, result: '0x2a' }],
  }),
  204: { description: 'The request held notifications only.', type: 'null' },
} as const;
const PathToken = Type.Object({
  token: Type.String({
    description: 'A token of `nectar-byon token create --url`.',
    maxLength: 128,
    examples: ['Kx0mCwYkDqTjS4o2rVwzqT0X5N0Q1m0oQ3m9Hn3cB1k'],
  }),
});

const rpc = describeOperation({
  id: 'callRpc',
  tag: 'rpc',
  summary: "The node's L2 as Ethereum JSON-RPC; the same by WebSocket, with subscriptions",
  guard: { scope: 'rpc' },
  body: JsonRpc,
  response: answers,
});
const rpcByPath = describeOperation({
  id: 'callRpcByPath',
  tag: 'rpc',
  summary: 'The same for a wallet, which can send no header: the token is in the path',
  guard: { scope: 'rpc', tokenInPath: true },
  params: PathToken,
  body: JsonRpc,
  response: answers,
});
const preflightAnswer = { 204: { description: 'What a page of an allowed origin may send.', type: 'null' } } as const;
const preflight = describeOperation({
  id: 'preflightRpc',
  tag: 'rpc',
  summary: 'What a browser asks before a page calls',
  guard: { scope: 'public', whileLocked: true },
  response: preflightAnswer,
});
const preflightByPath = describeOperation({
  id: 'preflightRpcByPath',
  tag: 'rpc',
  summary: 'The same for a token in the path; says nothing about the token',
  guard: { scope: 'public', whileLocked: true },
  params: PathToken,
  response: preflightAnswer,
});

/** Any content type is read as JSON: wallets and tools do not agree on one. */
export function addRpcRoutes(server: GatewayServer, { deps: { rollup }, config, origins }: RouteContext): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, async (_: unknown, text: string | Buffer) => {
    try {
      return { call: JSON.parse(String(text)) as unknown };
    } catch {
      return { call: undefined };
    }
  });
  // Also on refusals: a page may read why.
  server.addHook('onSend', async (request, reply) => {
    for (const [name, value] of Object.entries(origins.answerHeaders(request.headers)))
      reply.raw.setHeader(name, value);
  });

  async function answer(request: FastifyRequest, reply: FastifyReply) {
    origins.check(request.headers);
    const { call } = (request.body ?? {}) as { call?: unknown };
    if (call === undefined) return sendJson(JSON_RPC_PARSE_ERROR);
    if (Array.isArray(call) && call.length > config.maxRpcBatch) return sendJson(tooManyCalls(config.maxRpcBatch));
    const answered = await rollup.rpc(call, request.access.actor.tokenId, request.gone);
    return answered === undefined ? reply.code(204).send() : sendJson(answered);

    function sendJson(value: unknown) {
      return reply.type('application/json').send(JSON.stringify(value));
    }
  }
  const allow = async (request: FastifyRequest, reply: FastifyReply) =>
    reply.code(204).headers(origins.preflightHeaders(request.headers)).send();

  server.post('/rpc', { ...rpc, bodyLimit: config.maxRpcBytes }, answer);
  server.options('/rpc', preflight, allow);
  server.post('/rpc/:token', { ...rpcByPath, bodyLimit: config.maxRpcBytes }, answer);
  server.options('/rpc/:token', preflightByPath, allow);
}
