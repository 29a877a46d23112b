import type { Socket } from 'node:net';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { type ClientCertificate, isBoundTo, requireInTime } from './client-certificate.ts';
import type { AccessContext, GatewayDependencies } from './dependencies.ts';
import type { RouteContext, RouteGuard } from './gateway-server.ts';
import { isAllowed, type Principal } from './tokens.ts';

export const NOBODY = { subject: 'anonymous' };
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** What a request shows for itself, and what it is. */
export interface Claim {
  /** For the certificate that it may show. */
  readonly socket: Socket;
  /** The Authorization header. */
  readonly authorization: string | undefined;
  /** A token in the path, where the route has one. */
  readonly inPath?: string | undefined;
  readonly method: string;
  /** The pattern, never the path: that may hold a token. */
  readonly route: string;
  readonly access: AccessContext;
}

/** Who asks, and whether that may be asked for; a refusal is evidence. */
export async function authorise(claim: Claim, guard: RouteGuard, context: RouteContext): Promise<Principal> {
  const { deps, events, metrics } = context;
  let principal: Principal | undefined;
  try {
    principal = await identifyCaller(claim, guard, context);
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
    const access = { ...claim.access, actor };
    const identified = actor.tokenId !== undefined;
    events.denied(
      { type: 'auth.denied', outcome: 'failure', context: access, detail },
      { kind: error.code, identified },
    );
    throw error;
  }
}

/** Of a token that is ours and no longer good, whose it was: its holder is known by its signature. */
function bearerOf(error: NectarError, { tokens }: Pick<GatewayDependencies, 'tokens'>): AccessContext['actor'] {
  if (!isNectarError(error, 'GATEWAY_TOKEN_REVOKED') && !isNectarError(error, 'GATEWAY_CLIENT_REVOKED')) return NOBODY;
  const { tokenId } = error.data;
  return { subject: tokens.list().find(({ id }) => id === tokenId)?.subject ?? NOBODY.subject, tokenId };
}

/**
 * By the token, with the certificate that it may be bound to; without a token, by the certificate of the connection. Also asks again
 * for a connection that stays, which nobody needs to read of.
 */
export async function identifyCaller(
  { socket, authorization, inPath }: Pick<Claim, 'socket' | 'authorization' | 'inPath'>,
  guard: Pick<RouteGuard, 'whileLocked'>,
  { config, deps, clients }: Pick<RouteContext, 'config' | 'deps' | 'clients'>,
): Promise<Principal> {
  // Revocations and authorities that another gateway was given count here too.
  await deps.shared?.confirm();
  const certificate = config.clientCertificates === 'off' ? undefined : clients.certificates.of(socket);
  const token = BEARER.exec(authorization ?? '')?.[1];
  if (token === undefined && inPath === undefined) {
    if (certificate === undefined || authorization !== undefined) throw new NectarError('GATEWAY_TOKEN_MISSING', {});
    await requireGood(certificate, { deps, clients });
    return deps.tokens.certified(certificate);
  }
  const principal =
    inPath === undefined
      ? await deps.tokens.verify(token ?? '', { unlisted: guard.whileLocked === true })
      : await deps.tokens.verifyPath(inPath);
  const { certificate: binding, local } = principal;
  if (binding === undefined && (config.clientCertificates !== 'required' || local === true)) return principal;
  if (certificate === undefined || binding === undefined)
    throw new NectarError('GATEWAY_CLIENT_CERTIFICATE_MISSING', {});
  await requireGood(certificate, { deps, clients });
  if (!isBoundTo(certificate, binding)) throw new NectarError('GATEWAY_CLIENT_CERTIFICATE_MISMATCH', {});
  return principal;
}

/** Its dates, and what its authority took back, are asked with every request: a connection may last longer than either. */
async function requireGood(
  certificate: ClientCertificate,
  { deps, clients }: Pick<RouteContext, 'deps' | 'clients'>,
): Promise<void> {
  await clients.revocations.hold();
  requireInTime(certificate, deps.now());
  clients.revocations.require(certificate.chain);
}

export function actorOf({ subject, tokenId, name }: Principal): AccessContext['actor'] {
  return { subject, tokenId, ...(name === undefined ? {} : { name }) };
}
