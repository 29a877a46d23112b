import type { GatewayAuditEvent } from './audit-event.ts';
import { createdFacts } from './token-facts.ts';
import type { LoggedToken, Reconciled, TokenList } from './token-list.ts';

/** How soon a log that did not answer is asked again. */
const RETRY_MS = 250;

/** What the audit log says of tokens. */
export interface TokenLog {
  latest(): Promise<{ readonly tokens?: number }>;
  loggedTokens(): Promise<readonly LoggedToken[]>;
  append(event: GatewayAuditEvent): Promise<unknown>;
}

export interface Reconciling {
  /** Tries, until the log has answered once. */
  ensure(): Promise<void>;
  result(): Reconciled | undefined;
  /** What became of the file since. */
  look(): Promise<void>;
}

/** Holds the list against the log at the first token that comes once the log can be asked; before that nothing private is served. */
export function createReconciling(
  list: TokenList,
  { log, now }: { readonly log?: TokenLog | undefined; readonly now: () => number },
): Reconciling {
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
      if (running === undefined && Math.abs(now() - triedAt) < RETRY_MS) return;
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
