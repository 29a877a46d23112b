import { createHash, type Hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { NectarError } from '../../protocol/errors.ts';
import type { ContentDigests } from './store-needs.ts';

const ALGORITHMS = { 'sha-256': { node: 'sha256', bytes: 32 }, 'sha-512': { node: 'sha512', bytes: 64 } } as const;
type Algorithm = keyof typeof ALGORITHMS;
const NAMES = Object.keys(ALGORITHMS) as Algorithm[];

const MAX_HEADER_CHARS = 1_024;
/** One member of the dictionary (RFC 8941, 3.2 and 3.3.5): a key and a byte sequence. Parameters mean nothing here. */
const MEMBER = /^([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):(?:[ \t]*;[^,]*)?$/;

/**
 * The digests that an upload announces of itself (RFC 9530, Content-Digest and Repr-Digest: the body is the whole
 * representation, so both are of the same bytes); undefined without any that we know.
 *
 * @throws NectarError GATEWAY_DIGEST_INVALID
 */
export function parseDigests(headers: IncomingHttpHeaders): ContentDigests | undefined {
  const digests: { -readonly [name in Algorithm]?: string } = {};
  for (const header of ['content-digest', 'repr-digest']) {
    const value = headers[header];
    if (value === undefined) continue;
    for (const [name, digest] of parseDictionary(header, String(value))) {
      if (digests[name] !== undefined && digests[name] !== digest)
        throw invalid(header, 'contradicts the other digest');
      digests[name] = digest;
    }
  }
  return Object.keys(digests).length === 0 ? undefined : digests;
}

/**
 * The body, held to its digests: when it is another, the stream fails where it would have ended, and nothing is stored.
 *
 * @throws NectarError GATEWAY_DIGEST_MISMATCH
 */
export async function* checkDigests(
  body: AsyncIterable<Uint8Array>,
  digests: ContentDigests,
): AsyncGenerator<Uint8Array, void, void> {
  const hashes = new Map<Algorithm, Hash>();
  for (const name of NAMES) if (digests[name] !== undefined) hashes.set(name, createHash(ALGORITHMS[name].node));
  for await (const chunk of body) {
    for (const hash of hashes.values()) hash.update(chunk);
    yield chunk;
  }
  for (const [name, hash] of hashes) {
    if (hash.digest('base64') !== digests[name]) throw new NectarError('GATEWAY_DIGEST_MISMATCH', { algorithm: name });
  }
}

/** Repr-Digest of an answer: what is known of the plaintext, in the algorithms that Want-Repr-Digest prefers, or all. */
export function reprDigest(digests: ContentDigests | undefined, wanted: string | undefined): string | undefined {
  const weights = parseWanted(wanted);
  const members = NAMES.filter((name) => digests?.[name] !== undefined && weights.get(name) !== 0)
    .filter((name) => weights.size === 0 || weights.has(name))
    .map((name) => `${name}=:${digests?.[name]}:`);
  return members.length === 0 ? undefined : members.join(', ');
}

/** Preferences from 0 (not acceptable) to 10 (RFC 9530, 4); what is no preference of ours is left out. */
function parseWanted(header: string | undefined): Map<string, number> {
  const wanted = new Map<string, number>();
  if (header === undefined || header.length > MAX_HEADER_CHARS) return wanted;
  for (const member of header.split(',')) {
    const [, name, weight] = /^[ \t]*([a-z0-9-]+)=(10|[0-9])[ \t]*$/.exec(member) ?? [];
    if (name !== undefined) wanted.set(name, Number(weight));
  }
  return wanted;
}

function parseDictionary(header: string, text: string): [Algorithm, string][] {
  if (text.length > MAX_HEADER_CHARS) throw invalid(header, 'is too long');
  const found: [Algorithm, string][] = [];
  for (const member of text.split(',')) {
    const [, name = '', digest = ''] = MEMBER.exec(member.trim()) ?? [];
    if (name === '') throw invalid(header, 'is not a dictionary of byte sequences');
    if (!isAlgorithm(name)) continue;
    const bytes = Buffer.from(digest, 'base64');
    if (bytes.length !== ALGORITHMS[name].bytes) throw invalid(header, `has a ${name} of another length`);
    found.push([name, bytes.toString('base64')]);
  }
  return found;
}

function isAlgorithm(name: string): name is Algorithm {
  return Object.hasOwn(ALGORITHMS, name);
}

function invalid(header: string, reason: string): NectarError {
  return new NectarError('GATEWAY_DIGEST_INVALID', { header, reason });
}
