import { isNectarError, NectarError } from '../../protocol/errors.ts';
import type { AccessContext, GatewayDependencies } from './dependencies.ts';
import type { RouteContext, RouteGuard } from './gateway-server.ts';
import { isAllowed, type Principal } from './tokens.ts';

export const NOBODY = { subject: 'anonymous' };
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** What a request shows for itself, and what it is. */
export interface Claim {
  /** The Authorization header. */
  readonly authorization: string | undefined;
  /** A token in the path, where the route has one. */
  readonly inPath?: string | undefined;
  readonly method: string;
  /** The pattern, never the path: that may hold a token. */
  readonly route: string;
  readonly access: AccessContext;
}

/** Who may do what `guard` asks for. A refusal is counted and on record. */
export async function authorise(
  claim: Claim,
  guard: RouteGuard,
  { deps, events, metrics }: Pick<RouteContext, 'deps' | 'events' | 'metrics'>,
): Promise<Principal> {
  let principal: Principal | undefined;
  try {
    principal = await verifyClaim(claim, guard, deps);
    if (guard.scope !== 'public' && !isAllowed(principal, guard.scope)) {
      throw new NectarError('GATEWAY_SCOPE_MISSING', { scope: guard.scope });
    }
    return principal;
  } catch (error) {
    if (!isNectarError(error)) throw error;
    metrics.denied.inc({ reason: error.code });
    const actor = principal === undefined ? bearerOf(error, deps) : actorOf(principal);
    const detail = {
      reason: error.code,
      method: claim.method,
      route: claim.route,
      ...(principal === undefined && actor.tokenId !== undefined && { token: actor.tokenId }),
    };
    const context = { ...claim.access, actor };
    const identified = actor.tokenId !== undefined;
    events.denied({ type: 'auth.denied', outcome: 'failure', context, detail }, { kind: error.code, identified });
    throw error;
  }
}

/** The principal of the token that is shown; for asking again what was granted before, which nobody needs to read of. */
export async function verifyClaim(
  { authorization, inPath }: Pick<Claim, 'authorization' | 'inPath'>,
  guard: Pick<RouteGuard, 'whileLocked'>,
  { tokens }: Pick<GatewayDependencies, 'tokens'>,
): Promise<Principal> {
  if (inPath !== undefined) return tokens.verifyPath(inPath);
  const token = BEARER.exec(authorization ?? '')?.[1];
  if (token === undefined) throw new NectarError('GATEWAY_TOKEN_MISSING', {});
  return tokens.verify(token, { unlisted: guard.whileLocked === true });
}

/** Of a token that is ours and no longer good, whose it was: its holder is known by its signature. */
function bearerOf(error: NectarError, { tokens }: Pick<GatewayDependencies, 'tokens'>): AccessContext['actor'] {
  if (!isNectarError(error, 'GATEWAY_TOKEN_REVOKED')) return NOBODY;
  const { tokenId } = error.data;
  return { subject: tokens.list().find(({ id }) => id === tokenId)?.subject ?? NOBODY.subject, tokenId };
}

export function actorOf({ subject, tokenId, name }: Principal): AccessContext['actor'] {
  return { subject, tokenId, ...(name === undefined ? {} : { name }) };
}
