import Type from 'typebox';
import { NectarError } from '../../../protocol/errors.ts';
import { evidenced } from '../evidenced.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { TokenRequest } from '../request-schemas.ts';
import { createdFacts } from '../token-facts.ts';
import { IssuedToken, TokenIdText, TokenInfo, TokenList } from '../token-schemas.ts';

const guard = { scope: 'admin' } as const;

const list = describeOperation({
  id: 'listTokens',
  tag: 'tokens',
  summary: 'Every token made: whose, for what, until when; listing them is itself logged',
  guard,
  response: { 200: TokenList },
});
const create = describeOperation({
  id: 'createToken',
  tag: 'tokens',
  summary: 'Make a token; it is shown this once',
  guard,
  body: TokenRequest,
  response: { 201: IssuedToken },
});
const revoke = describeOperation({
  id: 'revokeToken',
  tag: 'tokens',
  summary: 'Revoke a token, at once and for good',
  guard,
  params: Type.Object({ id: TokenIdText }),
  response: { 200: TokenInfo },
});

export function addTokenRoutes(server: GatewayServer, context: RouteContext): void {
  const { tokens } = context.deps;

  server.get('/v1/tokens', list, async (request) => {
    const event = { type: 'token.list', context: request.access } as const;
    const { result } = await evidenced(context, event, {
      async run(note) {
        const listed = tokens.list();
        note({ count: listed.length });
        return listed;
      },
    });
    return { tokens: result };
  });

  server.post('/v1/tokens', create, async (request, reply) => {
    const { subject } = request.body as TokenRequest;
    if (context.config.clientCertificates === 'required')
      throw new NectarError('GATEWAY_CLIENT_REQUEST_INVALID', {
        reason: 'this node takes no token without a certificate',
      });
    const event = { type: 'token.create', context: request.access, detail: { subject } } as const;
    const { result } = await evidenced(context, event, {
      async run(note) {
        const issued = await tokens.issue(request.body as TokenRequest);
        note(createdFacts(issued, tokens.generation()));
        return issued;
      },
      // No token without its evidence: the one just made was shown to nobody, and never works.
      undo: async ({ id }) => {
        await tokens.revoke(id);
      },
    });
    return reply.code(201).send(result);
  });

  server.delete('/v1/tokens/:id', revoke, async (request) => {
    const { id } = request.params;
    const event = { type: 'token.revoke', context: request.access, detail: { token: id } } as const;
    const { result } = await evidenced(context, event, {
      async run(note) {
        const revoked = await tokens.revoke(id);
        note({ at: revoked.revokedAt ?? '', file: 'tokens', generation: tokens.generation() });
        return revoked;
      },
    });
    return result;
  });
}
