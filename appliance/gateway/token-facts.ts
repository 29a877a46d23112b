import type { CertificateBinding, TokenInfo } from './token-schemas.ts';

/** All that the list says of a token: a list that is put back to an older copy is made whole from the log. */
export function createdFacts(issued: TokenInfo, generation: number): Record<string, string | number> {
  const { id, name, scope, createdAt, expiresAt, certificate, pathHash } = issued;
  const named = name === undefined ? {} : { name };
  const bound = certificate === undefined ? {} : { certificate: encodeBinding(certificate) };
  const inPath = pathHash === undefined ? {} : { pathHash };
  const facts = { ...named, ...inPath, scope: scope.join(' '), createdAt, expiresAt, ...bound };
  return { token: id, ...facts, file: 'tokens', generation };
}

/** A binding as one word of a leaf: `alone key:HEX`, `with-token dns:pacs.example`. */
export function encodeBinding({ key, name = '', alone }: CertificateBinding): string {
  return `${alone ? 'alone' : 'with-token'} ${key === undefined ? name : `key:${key}`}`;
}

/** undefined for what is none: whoever was bound by it has nothing then, rather than more. */
export function parseBinding(text: string): CertificateBinding | undefined {
  const [, how, key, name] =
    /^(alone|with-token) (?:key:([0-9a-f]{64})|((?:dns|uri):[\x21-\x7e]{1,256}))$/.exec(text) ?? [];
  if (how === undefined) return undefined;
  return { ...(key === undefined ? {} : { key }), ...(name === undefined ? {} : { name }), alone: how === 'alone' };
}
