import type { TokenInfo } from './token-schemas.ts';

/** All that the list says of a token: a list that is put back to an older copy is made whole from the log. */
export function createdFacts(issued: TokenInfo, generation: number): Record<string, string | number> {
  const { id, name, scope, createdAt, expiresAt, pathHash } = issued;
  const named = name === undefined ? {} : { name };
  const inPath = pathHash === undefined ? {} : { pathHash };
  return { token: id, ...named, ...inPath, scope: scope.join(' '), createdAt, expiresAt, file: 'tokens', generation };
}
