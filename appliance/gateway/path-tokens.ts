import { hash } from 'node:crypto';
import { NectarError } from '../../protocol/errors.ts';
import type { TokenList } from './token-list.ts';
import type { IssuedToken, TokenInfo } from './token-schemas.ts';

const PATH_TOKEN_BYTES = 32;
/** 32 bytes in base64url: what a path may hold as a token. */
const PATH_TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** Nothing but the hash is kept: 32 random bytes cannot be found by trying, so that the hash needs no salt. */
export async function issueForPath(
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

/** The listed token that stands in a path. GATEWAY_TOKEN_INVALID, _EXPIRED, _REVOKED; GATEWAY_TOKENS_INVALID. */
export function findForPath(
  token: string,
  { list, path, now }: { readonly list: TokenList; readonly path: string; readonly now: number },
): TokenInfo {
  const info = PATH_TOKEN.test(token) ? list.findByPath(hash('sha256', token, 'hex')) : undefined;
  const reason = list.damage();
  if (info === undefined && reason !== undefined) throw new NectarError('GATEWAY_TOKENS_INVALID', { path, reason });
  if (info === undefined) throw new NectarError('GATEWAY_TOKEN_INVALID', {});
  if (Date.parse(info.expiresAt) <= now) throw new NectarError('GATEWAY_TOKEN_EXPIRED', { expiredAt: info.expiresAt });
  if (info.revokedAt !== undefined) throw new NectarError('GATEWAY_TOKEN_REVOKED', { tokenId: info.id });
  return info;
}
