import type { TokenInfo } from './schemas.ts';
import type { TokenLog, Tokens } from './tokens.ts';

/** All that the list says of a token: a list that is put back to an older copy is made whole from the log. */
export function createdFacts(issued: TokenInfo, generation: number): Record<string, string | number> {
  const { id, name, scope, createdAt, expiresAt } = issued;
  const named = name === undefined ? {} : { name };
  return { token: id, ...named, scope: scope.join(' '), createdAt, expiresAt, file: 'tokens', generation };
}

/** Tokens that the node makes for itself: on record as those that somebody asks for. */
export function recordedTokens(
  tokens: Pick<Tokens, 'issue' | 'revoke' | 'generation'>,
  log: Pick<TokenLog, 'append'>,
): Pick<Tokens, 'issue'> {
  return {
    async issue(request) {
      const issued = await tokens.issue(request);
      const detail = { subject: issued.subject, ...createdFacts(issued, tokens.generation()) };
      const context = { actor: { subject: 'system:gateway' }, requestId: `renewal/${issued.id}` };
      try {
        await log.append({ type: 'token.create', outcome: 'success', context, detail });
      } catch (error) {
        await tokens.revoke(issued.id);
        throw error;
      }
      return issued;
    },
  };
}
