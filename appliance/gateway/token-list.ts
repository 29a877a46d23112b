import { readFile } from 'node:fs/promises';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { NectarError } from '../../protocol/errors.ts';
import { replaceFile } from '../durable-file.ts';
import { TokenInfo } from './schemas.ts';

const MAX_TOKENS = 1000;
const MAX_FILE_BYTES = 4 * 1024 * 1024;
/** How long an ended token stays listed, so that the audit log's token ids can still be looked up. */
const KEEP_ENDED_MS = 30 * 86_400_000;

const TokenFile = Type.Object(
  { version: Type.Literal(1), tokens: Type.Array(TokenInfo) },
  { additionalProperties: false },
);
const tokenFile = Compile(TokenFile);

/** The tokens made by this node, on disk as HOME/tokens.json: who and until when, never the token. */
export interface TokenList {
  all(): readonly TokenInfo[];
  find(id: string): TokenInfo | undefined;
  /** Durable when it resolves; GATEWAY_TOKENS_FULL when too many are listed. */
  add(token: TokenInfo): Promise<void>;
  /** In force at once in this process, durable when it resolves; GATEWAY_TOKEN_ABSENT. */
  revoke(id: string, at: number): Promise<TokenInfo>;
}

/** Reads the list; an absent file is an empty list, a damaged one is refused (GATEWAY_TOKENS_INVALID): it may have held revocations. */
export async function openTokenList(path: string, now: () => number): Promise<TokenList> {
  const tokens = new Map((await readTokens(path)).map((token) => [token.id, token]));
  let writing: Promise<void> = Promise.resolve();

  const save = (): Promise<void> => {
    const write = writing.then(() => writeTokens(path, [...tokens.values()]));
    writing = write.catch(() => undefined);
    return write;
  };
  const prune = (): void => {
    for (const token of tokens.values()) {
      if (Date.parse(token.expiresAt) + KEEP_ENDED_MS < now()) tokens.delete(token.id);
    }
  };

  return {
    all: () => [...tokens.values()],
    find: (id) => tokens.get(id),
    async add(token) {
      prune();
      if (tokens.size >= MAX_TOKENS) throw new NectarError('GATEWAY_TOKENS_FULL', { limit: MAX_TOKENS });
      tokens.set(token.id, token);
      try {
        await save();
      } catch (error) {
        tokens.delete(token.id);
        throw error;
      }
    },
    async revoke(id, at) {
      const token = tokens.get(id);
      if (token === undefined) throw new NectarError('GATEWAY_TOKEN_ABSENT', { tokenId: id });
      const revoked = token.revokedAt === undefined ? { ...token, revokedAt: new Date(at).toISOString() } : token;
      tokens.set(id, revoked);
      await save();
      return revoked;
    },
  };
}

async function readTokens(path: string): Promise<TokenInfo[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw new NectarError('GATEWAY_TOKENS_INVALID', { path, reason: 'it cannot be read' }, { cause: error });
  }
  if (bytes.length > MAX_FILE_BYTES)
    throw new NectarError('GATEWAY_TOKENS_INVALID', { path, reason: 'it is too large' });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new NectarError('GATEWAY_TOKENS_INVALID', { path, reason: 'it is not JSON' }, { cause: error });
  }
  if (!tokenFile.Check(value))
    throw new NectarError('GATEWAY_TOKENS_INVALID', { path, reason: 'it has another shape' });
  return value.tokens;
}

function writeTokens(path: string, tokens: readonly TokenInfo[]): Promise<void> {
  return replaceFile(path, `${JSON.stringify({ version: 1, tokens }, undefined, 2)}\n`, 0o600);
}

function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
