import { createdFacts } from './token-facts.ts';
import type { TokenLog, Tokens } from './tokens.ts';

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
