import { hash } from 'node:crypto';

/** Tokens remembered at a time; a node has a handful, and at most 1000 listed. */
const MAX_REMEMBERED = 1024;

export type Claims = Readonly<Record<string, unknown>>;

/**
 * Remembers what verified tokens claim, by the hash of the token, until they expire: the signature is the same the next time, and
 * checking it is dear. Whether a token is revoked is asked of the list every time, never of this.
 */
export interface VerifiedTokens {
  /** The claims, from memory or from `verify`, whose error is never remembered. */
  claims(token: string, verify: () => Promise<Claims>): Promise<Claims>;
}

export function createVerifiedTokens(now: () => number): VerifiedTokens {
  const remembered = new Map<string, Claims>();

  return {
    async claims(token, verify) {
      const name = hash('sha256', token, 'base64url');
      const known = remembered.get(name);
      if (known !== undefined && Math.floor(now() / 1000) < Number(known.exp)) return known;
      remembered.delete(name); // one that has expired learns so from the verifier
      const claims = await verify();
      const [oldest] = remembered.keys();
      if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
      remembered.set(name, claims);
      return claims;
    },
  };
}
