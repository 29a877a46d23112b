/**
 * A bundle of audit entries: a text of lines, each one canonical JSON (RFC 8785), so that every byte of it has one spelling.
 *
 *   line 1     header: checkpoint, key, one multi-proof for all entries, older heads with consistency proofs
 *   then       the entries, in the order of the log: leaf, and salt and body where they are disclosed
 *   last       the entry `audit.export`, whose body states what was asked for and the digest of all entries before it
 *
 * So the log itself vouches for the question and for the whole list: whoever takes an entry out of a bundle, or changes what it
 * says it is, is found. What the node left out when it made the bundle is not: see `completeness`.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { RootHash } from '../brand.ts';
import { NectarError } from '../errors.ts';
import { auditFacts, matchesFacts } from './audit-facts.ts';
import { type AuditFilter, isLeafFilter, matchesLeaf, readAuditFilter } from './audit-filter.ts';
import { type AuditLeaf, BODY_SALT_BYTES, bodyHash, canonicalBytes, parseAuditLeaf } from './audit-leaf.ts';
import { parseBase64 } from './base64.ts';
import {
  type BundleEntry,
  type BundleHead,
  type BundleHeader,
  parseBundleEntry,
  parseBundleHeader,
} from './bundle-lines.ts';
import { type SignedCheckpoint, verifyCheckpoint } from './checkpoint.ts';
import { isKeyOfLog } from './epoch.ts';
import { type Hash, leafHash } from './hash.ts';
import { verifyMultiProof } from './multi-proof.ts';
import { parseUtf8 } from './text.ts';
import { parseVerifierKey } from './verifier-key.ts';
import { verifyConsistency } from './verify.ts';

const NEWLINE = 0x0a;
/** Longest file that is read, in bytes. */
export const MAX_BUNDLE_BYTES = 1024 * 1024 * 1024;
/** Most entries of one bundle. */
export const MAX_BUNDLE_ENTRIES = 100_000;

/** An entry of a verified bundle. */
export interface VerifiedEntry {
  readonly index: number;
  readonly leaf: AuditLeaf;
  /** The FHIR AuditEvent as JSON text; undefined when it is not disclosed. */
  readonly body: string | undefined;
}

/** What a verified bundle shows. */
export interface VerifiedAuditBundle {
  /** Without the entry that records the export. */
  readonly entries: readonly VerifiedEntry[];
  readonly filter: AuditFilter;
  /** The leaves that were searched: `[from, to)`. */
  readonly from: number;
  readonly to: number;
  /** When, by the log's own record, the bundle was made. */
  readonly exportedAt: string;
  readonly checkpoint: SignedCheckpoint;
  readonly root: RootHash;
  /** Older heads, kept outside the node, that were shown to be of the same log. */
  readonly heads: readonly Omit<BundleHead, 'path'>[];
  /** `shown`: every leaf of the range is here, and leaves alone decide the question. Else why it is not. */
  readonly completeness: { readonly is: 'shown' } | { readonly is: 'not shown'; readonly reason: string };
  /** Whether the log's key came from outside. Otherwise the bundle only agrees with the key that it carries. */
  readonly keyFromOutside: boolean;
}

export interface BundleExpectations {
  /** The log's key as its owner, an anchor or a peer states it. */
  readonly vkey?: string;
  /** A head of the log from outside, which the bundle must state and prove to belong to the same log. */
  readonly head?: { readonly size: number; readonly root: string };
}

/**
 * Verifies a bundle on its own: signature, inclusion of every entry, every body, older heads, the question and the list.
 * @param lines the file's lines, without their ends, not trusted
 * @returns what was shown; throws AUDIT_EXPORT_INVALID, AUDIT_VKEY_INVALID, AUDIT_NOTE_INVALID, AUDIT_CHECKPOINT_INVALID,
 * AUDIT_INCLUSION_INVALID, AUDIT_CONSISTENCY_INVALID or AUDIT_LEAF_INVALID
 */
export function verifyAuditBundle(lines: Iterable<string>, expected: BundleExpectations = {}): VerifiedAuditBundle {
  const [first, ...rest] = lines;
  const header = parseBundleHeader(first ?? '');
  if (expected.vkey !== undefined && !isKeyOfLog(expected.vkey, header.vkey))
    refuse('it was made under another key than the given one');
  if (rest.length > MAX_BUNDLE_ENTRIES + 1) refuse(`it has more than ${MAX_BUNDLE_ENTRIES} entries`);
  const stored = rest.map(parseBundleEntry);
  const checkpoint = verifyCheckpoint(header.checkpoint, parseVerifierKey(header.vkey));
  const hashes = stored.map(({ index, leaf }) => ({ index, hash: leafHash(utf8ToBytes(leaf)) }));
  verifyMultiProof(hashes, header.proof.map(hexToBytes), checkpoint);
  const heads = verifyHeads(header, checkpoint, expected);
  const entries = stored.map(openEntry);
  const record = entries.pop() ?? refuse('it has no entries');
  const claim = parseClaim(record);
  const listed = stored.slice(0, -1);
  const digest = bundleDigest(listed.map((entry, i) => ({ ...entry, hash: hashes[i]?.hash ?? new Uint8Array() })));
  if (claim.digest !== digest || claim.count !== listed.length) refuse('the list is not the one that the log recorded');
  if (claim.heads !== headsDigest(header.heads)) refuse('the older heads are not those that the log recorded');
  requireMeant(entries, claim);
  return {
    entries,
    filter: claim.filter,
    from: claim.from,
    to: claim.to,
    exportedAt: record.leaf.time,
    checkpoint,
    root: bytesToHex(checkpoint.root) as RootHash,
    heads,
    completeness: judgeCompleteness(entries, claim),
    keyFromOutside: expected.vkey !== undefined,
  };
}

/** The lines of a bundle's file: UTF-8, each ended by a newline. Throws AUDIT_EXPORT_INVALID. */
export function* bundleLines(bytes: Uint8Array): Generator<string, void, void> {
  if (bytes.at(-1) !== NEWLINE) refuse('it is cut short');
  for (let begin = 0; begin < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, begin);
    yield parseUtf8(bytes.subarray(begin, end)) ?? refuse('a line is not UTF-8');
    begin = end + 1;
  }
}

/** SHA-256 over index (8), leaf hash (32) and whether the body is disclosed (1), of every entry in order; hex. */
export function bundleDigest(entries: readonly { index: number; hash: Hash; body?: unknown }[]): string {
  const hash = sha256.create();
  for (const { index, hash: leaf, body } of entries) {
    const place = new Uint8Array(8);
    new DataView(place.buffer).setBigUint64(0, BigInt(index));
    hash.update(concatBytes(place, leaf, Uint8Array.of(body === undefined ? 0 : 1)));
  }
  return bytesToHex(hash.digest());
}

/** SHA-256 over the heads' canonical JSON, without their paths; hex. */
export function headsDigest(heads: readonly Omit<BundleHead, 'path'>[]): string {
  return bytesToHex(sha256(canonicalBytes(heads.map(({ size, root, where }) => ({ size, root, where })))));
}

function verifyHeads(
  { heads }: BundleHeader,
  checkpoint: SignedCheckpoint,
  { head }: BundleExpectations,
): VerifiedAuditBundle['heads'] {
  for (const { size, root, path } of heads)
    verifyConsistency({ size, root: hexToBytes(root) }, checkpoint, path.map(hexToBytes));
  const own = head?.size === checkpoint.size && head.root === bytesToHex(checkpoint.root);
  if (head !== undefined && !own && !heads.some(({ size, root }) => size === head.size && root === head.root))
    refuse(`it does not show that the head of ${head.size} leaves is of the same log`);
  return heads.map(({ size, root, where }) => ({ size, root, where }));
}

function openEntry({ index, leaf: text, salt, body }: BundleEntry): VerifiedEntry {
  const leaf = parseAuditLeaf(utf8ToBytes(text));
  if (salt === undefined || body === undefined) return { index, leaf, body: undefined };
  const [saltBytes, bytes] = [parseBase64(salt), parseBase64(body)];
  if (saltBytes.length !== BODY_SALT_BYTES || bodyHash(saltBytes, bytes) !== leaf.bodyHash)
    refuse(`the body of entry ${index} is not the one that its leaf commits to`);
  return { index, leaf, body: parseUtf8(bytes) ?? refuse('a body is not UTF-8') };
}

/** What the log recorded of the export. */
interface Claim {
  readonly filter: AuditFilter;
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly digest: string;
  readonly heads: string;
  readonly all: boolean;
  readonly bodies: boolean;
}

function parseClaim({ leaf, body }: VerifiedEntry): Claim {
  if (leaf.type !== 'audit.export' || leaf.outcome !== 'success' || body === undefined)
    return refuse('it does not end with the entry that records it');
  const { detail } = auditFacts(JSON.parse(body));
  const number = (name: string): number =>
    Number(detail.get(name) ?? refuse('the entry that records it is incomplete'));
  return {
    filter: readAuditFilter(detail.get('filter') ?? ''),
    from: number('from'),
    to: number('to'),
    count: number('count'),
    digest: detail.get('digest') ?? '',
    heads: detail.get('heads') ?? '',
    all: detail.get('leaves') === 'all',
    bodies: detail.get('bodies') === 'yes',
  };
}

/** Nothing is disclosed that was not asked for. Which records were a patient's by their labels, only the node knew. */
function requireMeant(entries: readonly VerifiedEntry[], { filter, from, to, all }: Claim): void {
  const { patient: _, ...decidable } = filter;
  for (const { index, leaf, body } of entries) {
    const listed = all && body === undefined;
    const outside = index < from || index >= to;
    if (outside || (!listed && !matchesLeaf(filter, leaf))) refuse(`entry ${index} is not what was asked for`);
    if (body !== undefined && !matchesFacts(decidable, auditFacts(JSON.parse(body))))
      refuse(`entry ${index} is not what was asked for`);
  }
}

function judgeCompleteness(entries: readonly VerifiedEntry[], claim: Claim): VerifiedAuditBundle['completeness'] {
  if (!claim.all) {
    const reason = 'a bundle of some leaves shows what is in the log, not that nothing else was meant';
    return { is: 'not shown', reason: `${reason} (--all-leaves would)` };
  }
  if (entries.length !== claim.to - claim.from) refuse('leaves of the range are missing');
  if (isLeafFilter(claim.filter)) return { is: 'shown' };
  const closed = entries.filter(({ leaf, body }) => body === undefined && matchesLeaf(claim.filter, leaf)).length;
  if (closed === 0) return { is: 'shown' };
  return {
    is: 'not shown',
    reason: `${closed} leaves of the range could be meant by type and time, and their bodies are not disclosed`,
  };
}

function refuse(reason: string): never {
  throw new NectarError('AUDIT_EXPORT_INVALID', { reason });
}
