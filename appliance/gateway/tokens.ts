import { importJWK, type JWK_OKP_Public } from 'jose';
import { NectarError } from '../../protocol/errors.ts';
import { type Bootstrapped, bootstrapId, listBootstrap } from './bootstrap-secret.ts';
import { type ClientCertificate, isBoundTo } from './client-certificate.ts';
import { fileText, type KeptText } from './kept-text.ts';
import { LOCAL_CALLER } from './local-caller.ts';
import { findForPath, issueForPath } from './path-tokens.ts';
import { createReconciling, type TokenLog } from './reconcile-tokens.ts';
import type { TokenRequest } from './request-schemas.ts';
import type { Scope } from './schema-parts.ts';
import { createTokenFile, MAX_TOKEN_FILE_BYTES } from './token-file.ts';
import { openTokenList, type Reconciled } from './token-list.ts';
import type { CertificateBinding, IssuedToken, TokenInfo } from './token-schemas.ts';
import {
  ALGORITHM,
  confirmationOf,
  instant,
  parseScopes,
  signToken,
  type TokenSigner,
  verifySignature,
} from './token-signature.ts';
import { createVerifiedTokens } from './verified-tokens.ts';

const TOKEN_ID_BYTES = 16;

export type { TokenLog } from './reconcile-tokens.ts';
export { createTokenSigner, type TokenSigner } from './token-signature.ts';

/** Whom a verified token, or a client's certificate, speaks for. */
export interface Principal {
  readonly subject: string;
  readonly tokenId: string;
  readonly name?: string;
  readonly scopes: ReadonlySet<Scope>;
  /** The certificate without which the token is worth nothing. */
  readonly certificate?: CertificateBinding;
  /** The command line of this machine. */
  readonly local?: true;
}

export interface TokensOptions {
  /** HOME/tokens.json, unless gateways share their list. */
  readonly path: string;
  readonly text?: KeptText;
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

export interface Tokens {
  /** With a binding: the token is good only beside that certificate. */
  issue(request: TokenRequest, certificate?: CertificateBinding): Promise<IssuedToken>;
  /** A client that its certificate alone stands for. GATEWAY_CLIENT_REQUEST_INVALID when it stands for another already. */
  enlist(request: TokenRequest, certificate: CertificateBinding): Promise<TokenInfo>;
  /**
   * Works while the node is locked. GATEWAY_TOKEN_INVALID, _EXPIRED or _REVOKED; the last two say whose it was. GATEWAY_TOKENS_INVALID
   * while the list is missing or damaged; `unlisted` then lets a token pass that this node signed: for what opens the node, so
   * that the log can tell what was in the list.
   */
  verify(token: string, how?: { readonly unlisted: boolean }): Promise<Principal>;
  /** The same of a token that stands in the path of `/rpc/…`: random bytes, of which the list has the hash. */
  verifyPath(token: string): Promise<Principal>;
  /**
   * Whom a certificate stands for. GATEWAY_CLIENT_CERTIFICATE_UNKNOWN, _EXPIRED, GATEWAY_CLIENT_REVOKED; GATEWAY_TOKENS_INVALID
   * while the list is missing or damaged.
   */
  certified(certificate: ClientCertificate): Promise<Principal>;
  /** Lists a secret that the site has drawn, by its id (bootstrap-secret.ts), in place of the one before. */
  bootstrap(id: string): Promise<Bootstrapped>;
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
  { path: filePath, nodeId, publicJwk, text: given }: TokensOptions,
  deps: TokensDependencies,
): Promise<Tokens> {
  const listeners = new Set<(tokenId: string) => void>();
  const sign = (input: Uint8Array): Promise<Uint8Array> => deps.signer.sign(input);
  const text = given ?? fileText(filePath, { maxBytes: MAX_TOKEN_FILE_BYTES });
  const { path } = text;
  const list = await openTokenList(path, createTokenFile({ text, publicJwk, sign }), deps.now);
  const ended = new Set<string>();
  const end = (tokenId: string): void => {
    if (ended.has(tokenId)) return;
    ended.add(tokenId);
    for (const listener of listeners) listener(tokenId);
  };
  list.onRevoked(end);
  const reconciling = createReconciling(list, deps);
  const key = await importJWK(publicJwk, ALGORITHM);
  const verifyClaims = (token: string) => verifySignature(token, { key, nodeId, now: deps.now() });
  const verified = createVerifiedTokens(deps.now);

  /** Whoever knows the secret of an entry is its bearer. */
  const verifyListed = async (id: string): Promise<Principal> => {
    await list.confirm();
    await reconciling.ensure();
    const [info, reason] = [list.find(id), list.damage()];
    if (info === undefined && reason !== undefined) throw new NectarError('GATEWAY_TOKENS_INVALID', { path, reason });
    if (info === undefined) throw new NectarError('GATEWAY_TOKEN_INVALID', {});
    const { revokedAt, expiresAt } = info;
    if (revokedAt !== undefined) throw new NectarError('GATEWAY_TOKEN_REVOKED', { tokenId: id });
    if (Date.parse(expiresAt) <= deps.now()) throw new NectarError('GATEWAY_TOKEN_EXPIRED', { expiredAt: expiresAt });
    return describePrincipal(info);
  };

  return {
    async issue(request, certificate) {
      const info = describeToken(request, deps, certificate);
      if (request.inPath === true) return issueForPath(info, { list, randomBytes: deps.randomBytes });
      const token = await signToken(info, nodeId, deps.signer);
      await verifyClaims(token);
      await list.add(info);
      return { ...info, token };
    },
    async enlist(request, certificate) {
      const { key, name } = certificate;
      const clash = list
        .all()
        .find((one) => isClient(one) && isGood(one, deps.now()) && isSame(one.certificate, { key, name }));
      if (clash !== undefined)
        throw new NectarError('GATEWAY_CLIENT_REQUEST_INVALID', {
          reason: `its certificate stands for client ${clash.id} already`,
        });
      const info = describeToken(request, deps, { ...certificate, alone: true });
      await list.add(info);
      return info;
    },
    async certified(certificate) {
      await list.confirm();
      await reconciling.ensure();
      const own = list.all().filter((one) => isClient(one) && isBoundTo(certificate, one.certificate));
      const info = own.find((one) => isGood(one, deps.now())) ?? own.at(-1);
      if (info === undefined) {
        const reason = list.damage();
        if (reason !== undefined) throw new NectarError('GATEWAY_TOKENS_INVALID', { path, reason });
        throw new NectarError('GATEWAY_CLIENT_CERTIFICATE_UNKNOWN', {});
      }
      if (info.revokedAt !== undefined) throw new NectarError('GATEWAY_CLIENT_REVOKED', { tokenId: info.id });
      if (!isGood(info, deps.now()))
        throw new NectarError('GATEWAY_CLIENT_CERTIFICATE_EXPIRED', { expiredAt: info.expiresAt });
      return describePrincipal(info);
    },
    async bootstrap(id) {
      await list.confirm();
      await reconciling.ensure();
      const done = await listBootstrap(list, id, deps.now());
      for (const { id: old } of done.revoked) end(old);
      return done;
    },
    async verify(token, how) {
      const drawn = bootstrapId(token);
      if (drawn !== undefined) return verifyListed(drawn);
      const claims = await verified.claims(token, () => verifyClaims(token));
      await list.confirm();
      await reconciling.ensure();
      const info = typeof claims.jti === 'string' ? list.find(claims.jti) : undefined;
      const scopes = parseScopes(claims.scope);
      const confirmation = confirmationOf(claims);
      const reason = list.damage();
      if (reason !== undefined && info === undefined) {
        if (how?.unlisted === true && scopes !== undefined) return unlistedPrincipal(claims, { scopes, confirmation });
        throw new NectarError('GATEWAY_TOKENS_INVALID', { path, reason });
      }
      if (info === undefined || info.subject !== claims.sub || scopes === undefined)
        throw new NectarError('GATEWAY_TOKEN_INVALID', {});
      if (info.revokedAt !== undefined) throw new NectarError('GATEWAY_TOKEN_REVOKED', { tokenId: info.id });
      const certificate = confirmation ?? info.certificate;
      return { ...describePrincipal(info), scopes, ...(certificate === undefined ? {} : { certificate }) };
    },
    async verifyPath(token) {
      await list.confirm();
      await reconciling.ensure();
      const info = findForPath(token, { list, path, now: deps.now() });
      return { ...describePrincipal(info), scopes: new Set(info.scope) };
    },
    generation: () => list.generation(),
    reconciled: () => reconciling.result(),
    look: () => reconciling.look(),
    list: () => list.all(),
    revoke(id) {
      // In force at once, durable when it resolves.
      const revoked = list.revoke(id, deps.now());
      end(id);
      return revoked;
    },
    onRevoked(listener) {
      listeners.add(listener);
    },
  };
}

/** Of a list that cannot be believed: what the node's own signature says, and no more. */
function unlistedPrincipal(
  { sub, jti }: Readonly<Record<string, unknown>>,
  { scopes, confirmation }: { scopes: ReadonlySet<Scope>; confirmation: CertificateBinding | undefined },
): Principal {
  const local = sub === LOCAL_CALLER.subject && confirmation === undefined;
  return {
    subject: String(sub),
    tokenId: String(jti),
    scopes,
    ...(confirmation === undefined ? {} : { certificate: confirmation }),
    ...(local ? { local } : {}),
  };
}

function describePrincipal({ subject, id, name, scope, certificate }: TokenInfo): Principal {
  const local = subject === LOCAL_CALLER.subject && name === LOCAL_CALLER.name && certificate === undefined;
  return {
    subject,
    tokenId: id,
    scopes: new Set(scope),
    ...(name === undefined ? {} : { name }),
    ...(local ? { local } : {}),
  };
}

type Client = TokenInfo & { readonly certificate: CertificateBinding };

function isClient(info: TokenInfo): info is Client {
  return info.certificate?.alone === true;
}

function isGood({ revokedAt, expiresAt }: TokenInfo, now: number): boolean {
  return revokedAt === undefined && Date.parse(expiresAt) > now;
}

function isSame(
  a: CertificateBinding,
  b: { readonly key: string | undefined; readonly name: string | undefined },
): boolean {
  return a.key === b.key && a.name === b.name;
}

function describeToken(
  request: TokenRequest,
  { now, randomBytes }: TokensDependencies,
  certificate?: CertificateBinding,
): TokenInfo {
  const issuedAt = Math.floor(now() / 1000);
  return {
    id: Buffer.from(randomBytes(TOKEN_ID_BYTES)).toString('hex'),
    subject: request.subject,
    ...(request.name === undefined ? {} : { name: request.name }),
    scope: [...new Set(request.scope)],
    createdAt: instant(issuedAt),
    expiresAt: instant(issuedAt + request.expiresInSeconds),
    ...(certificate === undefined ? {} : { certificate }),
  };
}

/** Whether the principal may do what needs `scope`. */
export function isAllowed(principal: Principal, scope: Scope): boolean {
  return principal.scopes.has(scope) || principal.scopes.has('admin');
}
