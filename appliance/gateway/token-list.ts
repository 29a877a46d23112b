import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { SCOPES, type Scope } from './schema-parts.ts';
import { parseBinding } from './token-facts.ts';
import type { FoundTokens, TokenFile } from './token-file.ts';
import type { TokenInfo } from './token-schemas.ts';

const MAX_TOKENS = 1000;
/** How long an ended token stays listed, so that the audit log's token ids can still be looked up. */
const KEEP_ENDED_MS = 30 * 86_400_000;
/** Of a change that others' changes come before. */
const MAX_TRIES = 16;

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
  /** Of a list that gateways share: resolves when it is that of at most half a second ago. @throws NectarError NODE_NOT_READY */
  confirm(): Promise<void>;
  /** Called for what another gateway revoked, too. */
  onRevoked(listener: (id: string) => void): void;
  /** Why there is no list that can be believed; undefined for one that the node signed. */
  damage(): string | undefined;
  /** Of the list on disk. */
  generation(): number;
  all(): readonly TokenInfo[];
  find(id: string): TokenInfo | undefined;
  findByPath(pathHash: string): TokenInfo | undefined;
  /** Durable when it resolves; GATEWAY_TOKENS_FULL when too many are listed. */
  add(token: TokenInfo): Promise<void>;
  /** The same for one that may be there already; resolves with whether it was added. */
  addOnce(token: TokenInfo): Promise<boolean>;
  /** In force at once in this process, durable when it resolves; GATEWAY_TOKEN_ABSENT. */
  revoke(id: string, at: number): Promise<TokenInfo>;
  /** Takes over what the log knows and the list does not: revocations always, tokens when the list is not the newest. */
  reconcile(logged: { readonly generation?: number; readonly tokens: readonly LoggedToken[] }): Promise<Reconciled>;
  /** Looks whether the file is still the list of this process, which is written anew when it is not; resolves with why. */
  look(): Promise<Reconciled['found']>;
}

/**
 * Reads the list. A damaged one is not an empty one: until the log has told what was in it, it has no token at all. A list that gateways
 * share is read when it is first confirmed: the store may not be there yet.
 */
export async function openTokenList(path: string, file: TokenFile, now: () => number): Promise<TokenList> {
  const listeners = new Set<(id: string) => void>();
  let found: FoundTokens = { is: 'damaged', reason: 'it has not been read yet' };
  let tokens = new Map<string, TokenInfo>();
  let damage: string | undefined = found.reason;
  let generation = 0;
  /** Of a shared list: what a change of it names. */
  let version = '';
  let isRead = false;
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };

  /** What is revoked here stays so, whatever was written meanwhile; what another gateway revoked is told. */
  const take = (next: Map<string, TokenInfo>): void => {
    const before = tokens;
    for (const { id, revokedAt } of before.values()) {
      const token = next.get(id);
      if (revokedAt !== undefined && token !== undefined && token.revokedAt === undefined)
        next.set(id, { ...token, revokedAt });
    }
    tokens = next;
    damage = undefined;
    for (const { id, revokedAt } of next.values()) {
      if (revokedAt !== undefined && before.get(id)?.revokedAt === undefined)
        for (const listener of listeners) listener(id);
    }
  };
  /** An older list than the one in memory is not believed: it is written anew (`look`, and every change). */
  const catchUp = async (): Promise<FoundTokens> => {
    const { version: lies, ...read } = await file.read();
    version = lies;
    if (damage !== undefined) found = read;
    if (read.is === 'list' && (!isRead || read.generation > generation)) {
      generation = read.generation;
      take(new Map(read.tokens.map((token) => [token.id, token])));
    } else if (damage !== undefined && read.is !== 'list') {
      damage = read.is === 'missing' ? 'it is missing' : read.reason;
    }
    isRead = true;
    return read;
  };
  const save = async (next: Map<string, TokenInfo>, atLeast = 0): Promise<void> => {
    const number = Math.max(generation, atLeast) + 1;
    version = await file.write(number, [...next.values()], version);
    generation = number;
    take(next);
  };
  /** Another gateway's change comes first, and is kept: `apply` is repeated on top of it. */
  const change = (apply: (next: Map<string, TokenInfo>) => void, atLeast?: () => number | undefined): Promise<void> =>
    inTurn(async () => {
      for (let tried = 1; ; tried += 1) {
        if (file.shared) await catchUp();
        const next = new Map(tokens);
        apply(next);
        const least = atLeast === undefined ? 0 : atLeast();
        if (least === undefined) return;
        try {
          await save(next, least);
          return;
        } catch (error) {
          if (!isNectarError(error, 'NODE_SHELF_CHANGED') || tried >= MAX_TRIES) throw error;
        }
      }
    });
  /** A list that is missing is begun anew: by `init`, or by whoever took it away. */
  const requireWhole = (): void => {
    if (damage !== undefined && found.is !== 'missing')
      throw new NectarError('GATEWAY_TOKENS_INVALID', { path, reason: damage });
  };

  if (file.shared) file.onChange(() => inTurn(catchUp).then(() => undefined));
  else await catchUp();
  return {
    confirm: () => file.confirm(),
    onRevoked: (listener) => void listeners.add(listener),
    damage: () => damage,
    generation: () => generation,
    all: () => [...tokens.values()],
    find: (id) => tokens.get(id),
    findByPath: (pathHash) => Array.from(tokens.values()).find((token) => token.pathHash === pathHash),
    add: (token) =>
      change((next) => {
        requireWhole();
        prune(next, now());
        if (next.size >= MAX_TOKENS) throw new NectarError('GATEWAY_TOKENS_FULL', { limit: MAX_TOKENS });
        next.set(token.id, token);
      }),
    async addOnce(token) {
      let isNew = false;
      await change(
        (next) => {
          requireWhole();
          isNew = !next.has(token.id);
          if (isNew) next.set(token.id, token);
        },
        () => (isNew ? 0 : undefined),
      );
      return isNew;
    },
    async revoke(id, at) {
      if (file.shared && !tokens.has(id)) await inTurn(catchUp);
      const token = tokens.get(id);
      if (token === undefined) throw new NectarError('GATEWAY_TOKEN_ABSENT', { tokenId: id });
      const revoked = token.revokedAt === undefined ? { ...token, revokedAt: new Date(at).toISOString() } : token;
      tokens.set(id, revoked);
      await change(() => undefined);
      return revoked;
    },
    async reconcile(logged) {
      const newest = logged.generation ?? 0;
      let result: Reconciled = { generation, logged: newest, revoked: 0, restored: 0 };
      await change(
        (next) => {
          // Another gateway may have held it against the log first.
          const standing: FoundTokens =
            file.shared && damage === undefined ? { is: 'list', generation, tokens: [] } : found;
          const reason = whyNotNewest(standing, { generation, logged: newest });
          const revoked = takeRevocations(next, logged.tokens);
          const restored = reason === undefined ? 0 : takeTokens(next, logged.tokens);
          result = {
            ...(reason === undefined ? {} : { found: reason }),
            generation,
            logged: newest,
            revoked,
            restored,
          };
        },
        () => (result.found === undefined && result.revoked === 0 ? undefined : newest),
      );
      return result;
    },
    look: () =>
      inTurn(async () => {
        const lies = await catchUp();
        const reason = whyNotNewest(lies, { generation: lies.is === 'list' ? lies.generation : 0, logged: generation });
        if (reason !== undefined) await save(new Map(tokens));
        return reason;
      }),
  };
}

function prune(tokens: Map<string, TokenInfo>, now: number): void {
  for (const token of tokens.values()) {
    if (Date.parse(token.expiresAt) + KEEP_ENDED_MS < now) tokens.delete(token.id);
  }
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
