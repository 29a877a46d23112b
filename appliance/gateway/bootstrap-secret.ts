import { hash } from 'node:crypto';
import type { TokenList } from './token-list.ts';
import type { TokenInfo } from './token-schemas.ts';

/** Of the entry in the list, and of what its bearer does. */
const BOOTSTRAP_SUBJECT = 'bootstrap';
/** At least 256 bits of letters and digits; a token that the node has signed has dots. */
const SECRET = /^[A-Za-z0-9_-]{43,128}$/;
const LIFETIME_MS = 366 * 86_400_000;

/**
 * The id under which a secret that somebody else has drawn is listed: its hash, so that the list says nothing of it, and finding another
 * secret of that id means finding a preimage of 128 bits. undefined for what is no such secret.
 */
export function bootstrapId(secret: string): string | undefined {
  return SECRET.test(secret) ? hash('sha256', `nectar/bootstrap-token/1\n${secret}`, 'hex').slice(0, 32) : undefined;
}

/** What became of the list. */
export interface Bootstrapped {
  readonly added?: TokenInfo;
  readonly revoked: readonly TokenInfo[];
}

/** Lists the secret once, and revokes the one that it takes the place of. One that was revoked or has ended stays so. */
export async function listBootstrap(list: TokenList, id: string, now: number): Promise<Bootstrapped> {
  const revoked: TokenInfo[] = [];
  let added: TokenInfo | undefined;
  if (list.find(id) === undefined) {
    const at = Math.floor(now / 1000) * 1000;
    const info: TokenInfo = {
      ...{ id, subject: BOOTSTRAP_SUBJECT, name: 'the first token of the owner', scope: ['admin'] },
      ...{ createdAt: new Date(at).toISOString(), expiresAt: new Date(at + LIFETIME_MS).toISOString() },
    };
    // Undefined: another gateway was first.
    if (await list.addOnce(info)) added = info;
  }
  for (const { id: other, subject, revokedAt } of list.all()) {
    if (subject === BOOTSTRAP_SUBJECT && other !== id && revokedAt === undefined)
      revoked.push(await list.revoke(other, now));
  }
  return { ...(added && { added }), revoked };
}
