import Type from 'typebox';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { TokenRequest } from '../request-schemas.ts';
import { IssuedToken, TokenIdText, TokenInfo, TokenList } from '../schemas.ts';

const guard = { scope: 'admin' } as const;

const list = describeOperation({
  id: 'listTokens',
  tag: 'tokens',
  summary: 'Every token made: whose, for what, until when',
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

export function addTokenRoutes(server: GatewayServer, { deps: { tokens, audit } }: RouteContext): void {
  server.get('/v1/tokens', list, async () => ({ tokens: tokens.list() }));

  server.post('/v1/tokens', create, async (request, reply) => {
    const issued = await tokens.issue(request.body as TokenRequest);
    const detail = {
      token: issued.id,
      subject: issued.subject,
      scope: issued.scope.join(' '),
      expiresAt: issued.expiresAt,
    };
    try {
      await audit.append({ type: 'token.create', outcome: 'success', context: request.access, detail });
    } catch (error) {
      // No token without its evidence: the one just made was shown to nobody, and never works.
      await tokens.revoke(issued.id);
      throw error;
    }
    return reply.code(201).send(issued);
  });

  server.delete('/v1/tokens/:id', revoke, async (request) => {
    const revoked = await tokens.revoke(request.params.id);
    await audit.append({
      type: 'token.revoke',
      outcome: 'success',
      context: request.access,
      detail: { token: revoked.id },
    });
    return revoked;
  });
}
