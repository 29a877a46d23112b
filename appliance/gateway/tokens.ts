import { createPrivateKey, hash, sign } from 'node:crypto';
import { errors, importJWK, type JWK_OKP_Public, jwtVerify } from 'jose';
import { NectarError } from '../../protocol/errors.ts';
import type { GatewayAuditEvent } from './audit-event.ts';
import type { TokenRequest } from './request-schemas.ts';
import { SCOPES, type Scope } from './schema-parts.ts';
import { createdFacts } from './token-facts.ts';
import { createTokenFile } from './token-file.ts';
import { type LoggedToken, openTokenList, type Reconciled, type TokenList } from './token-list.ts';
import type { IssuedToken, TokenInfo } from './token-schemas.ts';
import { createVerifiedTokens } from './verified-tokens.ts';

/** A token of ours has some 350 characters; anything much longer is not read at all. */
const MAX_TOKEN_CHARS = 2048;
const TOKEN_ID_BYTES = 16;
const PATH_TOKEN_BYTES = 32;
/** 32 bytes in base64url: what a path may hold as a token. */
const PATH_TOKEN = /^[A-Za-z0-9_-]{43}$/;
const ALGORITHM = 'EdDSA';
/** How soon a log that did not answer is asked again. */
const RETRY_MS = 250;

/** Whom a verified token speaks for. */
export interface Principal {
  readonly subject: string;
  readonly tokenId: string;
  readonly name?: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** Ed25519 over the signing input. The private key stays with whoever provides this; it is there only when unlocked. */
export interface TokenSigner {
  sign(input: Uint8Array): Promise<Uint8Array>;
}

export interface TokensOptions {
  /** HOME/tokens.json. */
  readonly path: string;
  /** The audience: a token of another node is worth nothing here. */
  readonly nodeId: string;
  readonly publicJwk: JWK_OKP_Public;
}

export interface TokensDependencies {
  readonly signer: TokenSigner;
  readonly now: () => number;
  readonly randomBytes: (length: number) => Uint8Array;
  /** What the list is held against once it can be asked: while the node is locked it cannot. */
  readonly log?: TokenLog;
}

/** What the audit log says of tokens. */
export interface TokenLog {
  latest(): Promise<{ readonly tokens?: number }>;
  loggedTokens(): Promise<readonly LoggedToken[]>;
  append(event: GatewayAuditEvent): Promise<unknown>;
}

export interface Tokens {
  issue(request: TokenRequest): Promise<IssuedToken>;
  /**
   * Works while the node is locked. GATEWAY_TOKEN_INVALID, _EXPIRED or _REVOKED; the last two say whose it was. GATEWAY_TOKENS_INVALID
   * while the list is missing or damaged; `unlisted` then lets a token pass that this node signed: for what opens the node, so
   * that the log can tell what was in the list.
   */
  verify(token: string, how?: { readonly unlisted: boolean }): Promise<Principal>;
  /** The same of a token that stands in the path of `/rpc/…`: random bytes, of which the list has the hash. */
  verifyPath(token: string): Promise<Principal>;
  list(): readonly TokenInfo[];
  revoke(id: string): Promise<TokenInfo>;
  /** Of the list, after the last change: goes into the leaf of that change. */
  generation(): number;
  /** What was found when the list was held against the log; undefined until then. */
  reconciled(): Reconciled | undefined;
  /**
   * Looks whether tokens.json was changed under the running node. The list in memory is the newest: it is written anew, and put on
   * record as at a start.
   */
  look(): Promise<void>;
  /** Called at once when a token is revoked: what it has begun is to end. */
  onRevoked(listener: (tokenId: string) => void): void;
}

/** Bearer tokens: JWT signed with Ed25519, good only while listed in tokens.json and not revoked there. */
export async function createTokens(
  { path, nodeId, publicJwk }: TokensOptions,
  deps: TokensDependencies,
): Promise<Tokens> {
  const listeners = new Set<(tokenId: string) => void>();
  const sign = (input: Uint8Array): Promise<Uint8Array> => deps.signer.sign(input);
  const list = await openTokenList(path, createTokenFile({ path, publicJwk, sign }), deps.now);
  const reconciling = createReconciling(list, deps);
  const key = await importJWK(publicJwk, ALGORITHM);
  const verifyClaims = (token: string) => verifySignature(token, { key, nodeId, now: deps.now() });
  const verified = createVerifiedTokens(deps.now);

  return {
    async issue(request) {
      const info = describeToken(request, deps);
      if (request.inPath === true) return issueForPath(info, { list, randomBytes: deps.randomBytes });
      const token = await signToken(info, nodeId, deps.signer);
      await verifyClaims(token);
      await list.add(info);
      return { ...info, token };
    },
    async verify(token, how) {
      const claims = await verified.claims(token, () => verifyClaims(token));
      await reconciling.ensure();
      const info = typeof claims.jti === 'string' ? list.find(claims.jti) : undefined;
      const scopes = parseScopes(claims.scope);
      const reason = list.damage();
      if (reason !== undefined && info === undefined) {
        if (how?.unlisted === true && scopes !== undefined) return principalOf(claims, scopes);
        throw new NectarError('GATEWAY_TOKENS_INVALID', { path, reason });
      }
      if (info === undefined || info.subject !== claims.sub || scopes === undefined)
        throw new NectarError('GATEWAY_TOKEN_INVALID', {});
      if (info.revokedAt !== undefined) throw new NectarError('GATEWAY_TOKEN_REVOKED', { tokenId: info.id });
      return principalIn(info, scopes);
    },
    async verifyPath(token) {
      await reconciling.ensure();
      const info = PATH_TOKEN.test(token) ? list.findByPath(hash('sha256', token, 'hex')) : undefined;
      if (info === undefined) {
        const reason = list.damage();
        if (reason !== undefined) throw new NectarError('GATEWAY_TOKENS_INVALID', { path, reason });
        throw new NectarError('GATEWAY_TOKEN_INVALID', {});
      }
      if (Date.parse(info.expiresAt) <= deps.now())
        throw new NectarError('GATEWAY_TOKEN_EXPIRED', { expiredAt: info.expiresAt });
      if (info.revokedAt !== undefined) throw new NectarError('GATEWAY_TOKEN_REVOKED', { tokenId: info.id });
      return principalIn(info, new Set(info.scope));
    },
    generation: () => list.generation(),
    reconciled: () => reconciling.result(),
    look: () => reconciling.look(),
    list: () => list.all(),
    revoke(id) {
      // In force at once, durable when it resolves.
      const revoked = list.revoke(id, deps.now());
      for (const listener of listeners) listener(id);
      return revoked;
    },
    onRevoked(listener) {
      listeners.add(listener);
    },
  };
}

interface Reconciling {
  /** Tries, until the log has answered once. */
  ensure(): Promise<void>;
  result(): Reconciled | undefined;
  /** What became of the file since. */
  look(): Promise<void>;
}

/** Holds the list against the log at the first token that comes once the log can be asked; before that nothing private is served. */
function createReconciling(list: TokenList, { log, now }: TokensDependencies): Reconciling {
  let result: Reconciled | undefined;
  let running: Promise<void> | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;

  async function reconcile(of: TokenLog): Promise<void> {
    const { tokens: generation } = await of.latest();
    const tokens = await of.loggedTokens();
    result = await list.reconcile({ tokens, ...(generation === undefined ? {} : { generation }) });
    await recordUnlogged(list, of, { known: tokens, now: now() });
    if (result.found === undefined && result.revoked === 0) return;
    await recordFound(of, result);
  }

  async function recordFound(of: TokenLog, reconciled: Reconciled): Promise<void> {
    const { logged, revoked, restored } = reconciled;
    const found = reconciled.found ?? 'newest';
    const detail = { found, logged, revoked, restored, file: 'tokens', generation: list.generation() };
    const context = { actor: { subject: 'system:gateway' }, requestId: `tokens/${list.generation()}` };
    await of.append({ type: 'token.restore', outcome: 'success', context, detail });
  }

  return {
    result: () => result,
    async look() {
      if (result === undefined || log === undefined) return;
      const logged = list.generation();
      const found = await list.look();
      if (found === undefined) return;
      result = { ...result, found, logged };
      await recordFound(log, result);
    },
    async ensure() {
      if (result !== undefined || log === undefined) return;
      if (running === undefined && now() - triedAt < RETRY_MS) return;
      triedAt = now();
      running ??= reconcile(log)
        // Locked, starting, or no log that could say it: what is private is not served then either.
        .catch(() => undefined)
        .finally(() => {
          running = undefined;
        });
      await running;
    },
  };
}

/**
 * Tokens and revocations made while no log ran (`init`, `restore`, an older program) go on record now: what the log does not
 * know it could not give back when the list is lost.
 */
async function recordUnlogged(
  list: TokenList,
  log: TokenLog,
  { known, now }: { readonly known: readonly LoggedToken[]; readonly now: number },
): Promise<void> {
  const logged = new Map(known.map((token) => [token.id, token]));
  const context = { actor: { subject: 'system:gateway' }, requestId: `tokens/${list.generation()}` };
  for (const token of list.all()) {
    if (Date.parse(token.expiresAt) <= now) continue;
    const { id, subject, revokedAt } = token;
    if (!logged.has(id)) {
      const detail = { subject, ...createdFacts(token, list.generation()) };
      await log.append({ type: 'token.create', outcome: 'success', context, detail });
    }
    if (revokedAt === undefined || logged.get(id)?.revokedAt !== undefined) continue;
    const detail = { token: id, at: revokedAt, file: 'tokens', generation: list.generation() };
    await log.append({ type: 'token.revoke', outcome: 'success', context, detail });
  }
}

function principalOf(claims: Readonly<Record<string, unknown>>, scopes: ReadonlySet<Scope>): Principal {
  return { subject: String(claims.sub), tokenId: String(claims.jti), scopes };
}

function principalIn({ subject, id: tokenId, name }: TokenInfo, scopes: ReadonlySet<Scope>): Principal {
  return { subject, tokenId, scopes, ...(name === undefined ? {} : { name }) };
}

/** Nothing but the hash is kept: 32 random bytes cannot be found by trying, so that the hash needs no salt. */
async function issueForPath(
  info: TokenInfo,
  { list, randomBytes }: { readonly list: TokenList; readonly randomBytes: (length: number) => Uint8Array },
): Promise<IssuedToken> {
  const [only, ...others] = info.scope;
  if (only !== 'rpc' || others.length > 0)
    throw new NectarError('GATEWAY_REQUEST_INVALID', {
      part: 'body',
      path: '/scope',
      reason: 'must be rpc alone for a token in a path',
    });
  const token = Buffer.from(randomBytes(PATH_TOKEN_BYTES)).toString('base64url');
  const listed = { ...info, pathHash: hash('sha256', token, 'hex') };
  await list.add(listed);
  return { ...listed, token };
}

function describeToken(request: TokenRequest, { now, randomBytes }: TokensDependencies): TokenInfo {
  const issuedAt = Math.floor(now() / 1000);
  return {
    id: Buffer.from(randomBytes(TOKEN_ID_BYTES)).toString('hex'),
    subject: request.subject,
    ...(request.name === undefined ? {} : { name: request.name }),
    scope: [...new Set(request.scope)],
    createdAt: instant(issuedAt),
    expiresAt: instant(issuedAt + request.expiresInSeconds),
  };
}

/** Size, then shape, then signature, then the claims: what an expired token says is already known to be ours. */
async function verifySignature(
  token: string,
  { key, nodeId, now }: { key: Awaited<ReturnType<typeof importJWK>>; nodeId: string; now: number },
): Promise<Record<string, unknown>> {
  if (token.length > MAX_TOKEN_CHARS) throw new NectarError('GATEWAY_TOKEN_INVALID', {});
  try {
    const verified = await jwtVerify(token, key, {
      algorithms: [ALGORITHM],
      audience: nodeId,
      currentDate: new Date(now),
      requiredClaims: ['sub', 'scope', 'jti', 'iat', 'exp'],
    });
    return verified.payload;
  } catch (cause) {
    if (!(cause instanceof errors.JWTExpired)) throw new NectarError('GATEWAY_TOKEN_INVALID', {}, { cause });
    throw new NectarError('GATEWAY_TOKEN_EXPIRED', { expiredAt: instant(Number(cause.payload.exp)) }, { cause });
  }
}

/** Whether the principal may do what needs `scope`. */
export function isAllowed(principal: Principal, scope: Scope): boolean {
  return principal.scopes.has(scope) || principal.scopes.has('admin');
}

/** A signer over an Ed25519 private key (PKCS#8 DER), for whoever unsealed it. */
export function createTokenSigner(pkcs8: Uint8Array): TokenSigner {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  return { sign: async (input) => sign(null, input, key) };
}

/** JWS compact serialisation (RFC 7515, 7.1): by hand, because the signing key is not ours to hold. */
async function signToken(info: TokenInfo, nodeId: string, signer: TokenSigner): Promise<string> {
  const claims = {
    sub: info.subject,
    scope: info.scope.join(' '),
    jti: info.id,
    aud: nodeId,
    iat: Date.parse(info.createdAt) / 1000,
    exp: Date.parse(info.expiresAt) / 1000,
  };
  const input = `${encodePart({ alg: ALGORITHM, typ: 'JWT' })}.${encodePart(claims)}`;
  const signature = await signer.sign(Buffer.from(input, 'ascii'));
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}

function encodePart(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Undefined unless every scope is one we know: a token of a newer version is not half understood. */
function parseScopes(claim: unknown): ReadonlySet<Scope> | undefined {
  if (typeof claim !== 'string') return undefined;
  const scopes = claim.split(' ');
  return scopes.every(isScope) ? new Set(scopes as Scope[]) : undefined;
}

function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}

function instant(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
