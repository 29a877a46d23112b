import { NectarError } from '../../protocol/errors.ts';
import { SCOPES, type Scope } from './schema-parts.ts';
import { parseBinding } from './token-facts.ts';
import type { FoundTokens, TokenFile } from './token-file.ts';
import type { TokenInfo } from './token-schemas.ts';

const MAX_TOKENS = 1000;
/** How long an ended token stays listed, so that the audit log's token ids can still be looked up. */
const KEEP_ENDED_MS = 30 * 86_400_000;

/** A token as the audit log knows it. */
export interface LoggedToken {
  readonly id: string;
  readonly subject: string;
  readonly name?: string;
  /** Separated by spaces; empty for one of which only the revocation is known. */
  readonly scope: string;
  /** Of one that stands in a path: the SHA-256 of it. */
  readonly pathHash?: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly revokedAt?: string;
  /** The certificate that goes with it, in one word. */
  readonly certificate?: string;
}

/** What holding the list against the log changed. */
export interface Reconciled {
  /** Why the list on disk was not the newest; undefined when it was. */
  readonly found?: 'behind' | 'missing' | 'damaged';
  readonly generation: number;
  readonly logged: number;
  readonly revoked: number;
  readonly restored: number;
}

/** The tokens made by this node, on disk as HOME/tokens.json: who and until when, never the token. */
export interface TokenList {
  /** Why there is no list that can be believed; undefined for one that the node signed. */
  damage(): string | undefined;
  /** Of the list on disk. */
  generation(): number;
  all(): readonly TokenInfo[];
  find(id: string): TokenInfo | undefined;
  findByPath(pathHash: string): TokenInfo | undefined;
  /** Durable when it resolves; GATEWAY_TOKENS_FULL when too many are listed. */
  add(token: TokenInfo): Promise<void>;
  /** In force at once in this process, durable when it resolves; GATEWAY_TOKEN_ABSENT. */
  revoke(id: string, at: number): Promise<TokenInfo>;
  /** Takes over what the log knows and the list does not: revocations always, tokens when the list is not the newest. */
  reconcile(logged: { readonly generation?: number; readonly tokens: readonly LoggedToken[] }): Promise<Reconciled>;
  /** Looks whether the file is still the list of this process, which is written anew when it is not; resolves with why. */
  look(): Promise<Reconciled['found']>;
}

/** Reads the list. A damaged one is not an empty one: until the log has told what was in it, it has no token at all. */
export async function openTokenList(path: string, file: TokenFile, now: () => number): Promise<TokenList> {
  const found = await file.read();
  const tokens = new Map((found.is === 'list' ? found.tokens : []).map((token) => [token.id, token]));
  let damage = found.is === 'list' ? undefined : found.is === 'missing' ? 'it is missing' : found.reason;
  let generation = found.is === 'list' ? found.generation : 0;
  let durable = generation;
  let writing: Promise<void> = Promise.resolve();

  const save = (): Promise<void> => {
    generation += 1;
    const write = writing.then(async () => {
      const number = generation;
      await file.write(number, [...tokens.values()]);
      durable = number;
    });
    writing = write.catch(() => undefined);
    damage = undefined;
    return write;
  };
  /** A list that is missing is begun anew: by `init`, or by whoever took it away. */
  const requireWhole = (): void => {
    if (damage !== undefined && found.is !== 'missing')
      throw new NectarError('GATEWAY_TOKENS_INVALID', { path, reason: damage });
  };
  const prune = (): void => {
    for (const token of tokens.values()) {
      if (Date.parse(token.expiresAt) + KEEP_ENDED_MS < now()) tokens.delete(token.id);
    }
  };

  return {
    damage: () => damage,
    generation: () => durable,
    all: () => [...tokens.values()],
    find: (id) => tokens.get(id),
    findByPath: (pathHash) => Array.from(tokens.values()).find((token) => token.pathHash === pathHash),
    async add(token) {
      requireWhole();
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
    async reconcile(logged) {
      const before = { generation, logged: logged.generation ?? 0 };
      const reason = whyNotNewest(found, before);
      const revoked = takeRevocations(tokens, logged.tokens);
      const restored = reason === undefined ? 0 : takeTokens(tokens, logged.tokens);
      if (reason !== undefined || revoked > 0) {
        generation = Math.max(generation, before.logged);
        await save();
      }
      return { ...(reason === undefined ? {} : { found: reason }), ...before, revoked, restored };
    },
    async look() {
      await writing;
      const expected = durable;
      const lies = await file.read();
      // A change of this process came between: it wrote the file.
      if (expected !== durable || generation !== durable) return undefined;
      const reason = whyNotNewest(lies, {
        generation: lies.is === 'list' ? lies.generation : 0,
        logged: expected,
      });
      if (reason !== undefined) await save();
      return reason;
    },
  };
}

/** A list that is newer than the log says is what a crash between the two leaves, and a token made while the node was down. */
function whyNotNewest(
  found: FoundTokens,
  { generation, logged }: { readonly generation: number; readonly logged: number },
): Reconciled['found'] {
  if (logged === 0) return undefined;
  if (found.is !== 'list') return found.is;
  return generation < logged ? 'behind' : undefined;
}

function takeRevocations(tokens: Map<string, TokenInfo>, logged: readonly LoggedToken[]): number {
  let taken = 0;
  for (const { id, revokedAt } of logged) {
    const token = tokens.get(id);
    if (revokedAt === undefined || token === undefined || token.revokedAt !== undefined) continue;
    tokens.set(id, { ...token, revokedAt });
    taken += 1;
  }
  return taken;
}

function takeTokens(tokens: Map<string, TokenInfo>, logged: readonly LoggedToken[]): number {
  let taken = 0;
  for (const { scope, certificate, ...token } of logged) {
    const scopes = scope.split(' ').filter((name): name is Scope => (SCOPES as readonly string[]).includes(name));
    if (tokens.has(token.id) || scopes.length === 0 || tokens.size >= MAX_TOKENS) continue;
    const binding = certificate === undefined ? undefined : parseBinding(certificate);
    // Bound in a way that this version does not know: it does not come back as one that is free.
    if (certificate !== undefined && binding === undefined) continue;
    tokens.set(token.id, { ...token, scope: scopes, ...(binding === undefined ? {} : { certificate: binding }) });
    taken += 1;
  }
  return taken;
}
