import type { LeafHash } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { type AuditLeaf, bodyHash, parseAuditLeaf } from '../../protocol/merkle/audit-leaf.ts';
import type { AuditProof } from '../../protocol/merkle/audit-proof.ts';
import type { BundleEntry } from '../../protocol/merkle/bundle-lines.ts';
import { EMPTY_ROOT, isSameHash, leafHash } from '../../protocol/merkle/hash.ts';
import { encodeTile, TILE_WIDTH, tilePath } from '../../protocol/merkle/tile.ts';
import { encodeVerifierKey, type VerifierKey } from '../../protocol/merkle/verifier-key.ts';
import { verifyInclusion } from '../../protocol/merkle/verify.ts';
import type { AuditEventJson } from './balp.ts';
import { bodyBundlePath, type StoredEntry } from './body-bundle.ts';
import { type BodySealer, type OpenBody, placeOf } from './body-seal.ts';
import { bundleOf } from './bundle-file.ts';
import { factsOf, type MayHold } from './bundle-terms.ts';
import type { SignedSnapshot } from './checkpoints.ts';
import type { KeptTerms } from './kept-terms.ts';
import type { Log, Snapshot } from './log.ts';

/** One entry as it is read back. */
export interface AuditEntry {
  readonly index: number;
  readonly leafHash: LeafHash;
  readonly leaf: AuditLeaf;
  /** The FHIR AuditEvent; undefined once it has been erased after its retention. */
  readonly body?: AuditEventJson | undefined;
}

/** What a reading wants. Bodies are opened only of leaves that pass. */
export interface Selection {
  readonly leaf: (leaf: AuditLeaf) => boolean;
  /**
   * Undefined when leaves alone decide. A text that every wanted body holds spares parsing the others, and what a bundle must
   * hold spares reading it.
   */
  readonly body:
    | { readonly holds?: string; readonly mayHold: MayHold; readonly wants: (body: AuditEventJson) => boolean }
    | undefined;
}

export interface Selected {
  readonly entries: readonly AuditEntry[];
  /** Indices of leaves that passed, and whose body is erased: nobody can say any more whether they were wanted. */
  readonly undecided: readonly number[];
}

/** A leaf to be shown to somebody outside. */
export interface Disclosure {
  readonly index: number;
  readonly body: boolean;
}

/** Reads entries back, each checked against the tree and its seal: what the disk says is not believed. */
export interface Reader {
  entry(index: number): Promise<AuditEntry>;
  /** The entries `[begin, end)`, in order, a bundle at a time. */
  entries(begin: number, end: number): AsyncIterable<AuditEntry>;
  /** Those of one bundle's entries in `[begin, end)` that a selection wants, in order. */
  select(range: { begin: number; end: number }, selection: Selection): Promise<Selected>;
  /** Leaves as they stand in the log, in order, each with its body where that is to be disclosed. */
  disclose(wanted: readonly Disclosure[], at: Snapshot): AsyncIterable<BundleEntry>;
  prove(index: number, checkpoint: SignedSnapshot, withBody: boolean): Promise<AuditProof>;
}

/** What a search asks of the terms. */
type SearchTerms = Pick<KeptTerms, 'load' | 'find' | 'keep' | 'turn'>;

export interface ReaderDeps {
  readonly log: Log;
  readonly sealer: BodySealer;
  readonly terms: SearchTerms;
  /** Of the epoch whose checkpoints are signed now. */
  readonly key: () => VerifierKey;
}

export function createReader({ log, sealer, terms, key }: ReaderDeps): Reader {
  async function readStored(index: number, at: Snapshot): Promise<StoredEntry> {
    const stored =
      index < at.size ? (await readVerifiedBundle(log, bundleOf(index), at))[index % TILE_WIDTH] : undefined;
    if (stored === undefined) throw new NectarError('AUDIT_INDEX_OUT_OF_RANGE', { index, size: at.size });
    return stored;
  }

  return {
    entry: async (index) => parseEntry(index, await readStored(index, log.snapshot()), sealer),
    async *entries(begin, end) {
      const at = log.snapshot();
      for (let bundle = bundleOf(begin); bundle * TILE_WIDTH < Math.min(end, at.size); bundle++) {
        for (const [i, entry] of (await readVerifiedBundle(log, bundle, at)).entries()) {
          const index = bundle * TILE_WIDTH + i;
          if (index >= begin && index < end) yield parseEntry(index, entry, sealer);
        }
      }
    },
    select: ({ begin, end }, selection) => selectEntries({ begin, end, selection }, { log, sealer, terms }),
    disclose: (wanted, at) => discloseEntries({ wanted, at }, { log, sealer }),
    async prove(index, { issued, at }, withBody) {
      const stored = await readStored(index, at);
      const open = withBody ? openBody(index, stored, sealer) : undefined;
      const path = await log.inclusion(index, at);
      verifyInclusion({ index, hash: leafHash(stored.leaf) }, path, at);
      return {
        v: 1,
        kind: 'nectar-audit-proof',
        index,
        size: at.size,
        leaf: Buffer.from(stored.leaf).toString('utf8'),
        path: path.map((hash) => Buffer.from(hash).toString('hex')),
        checkpoint: issued.note,
        vkey: encodeVerifierKey(key()),
        ...(open === undefined ? {} : { salt: encodeBase64(open.salt), body: encodeBase64(open.body) }),
      };
    },
  };
}

async function selectEntries(
  { begin, end, selection }: { begin: number; end: number; selection: Selection },
  { log, sealer, terms }: { log: Log; sealer: BodySealer; terms: SearchTerms },
): Promise<Selected> {
  const bundle = bundleOf(begin);
  const entries: AuditEntry[] = [];
  const undecided: number[] = [];
  const holdsNone = (): boolean => {
    const known = terms.find(bundle);
    return known !== undefined && selection.body?.mayHold(known) === false;
  };
  if (selection.body !== undefined) await terms.load(bundle);
  if (holdsNone()) return { entries, undecided };
  const turn = terms.turn();
  const all = await readVerifiedBundle(log, bundle, log.snapshot());
  if (terms.find(bundle) === undefined && selection.body !== undefined && isWhole(all)) {
    const bodies = all.map((stored, i) => parseEntry(bundle * TILE_WIDTH + i, stored, sealer).body);
    terms.keep(bundle, factsOf(bodies), turn);
    if (holdsNone()) return { entries, undecided };
  }
  for (const [i, stored] of all.entries()) {
    const index = bundle * TILE_WIDTH + i;
    if (index < begin || index >= end || !selection.leaf(parseAuditLeaf(stored.leaf))) continue;
    if (selection.body !== undefined && stored.sealed === undefined) {
      undecided.push(index);
      continue;
    }
    const entry = parseWanted(index, stored, { sealer, body: selection.body });
    if (entry !== undefined) entries.push(entry);
  }
  return { entries, undecided };
}

/** Full, and no body of it erased: nothing will be added to what it speaks of. */
function isWhole(stored: readonly StoredEntry[]): boolean {
  return stored.length === TILE_WIDTH && stored.every(({ sealed }) => sealed !== undefined);
}

async function* discloseEntries(
  { wanted, at }: { wanted: readonly Disclosure[]; at: Snapshot },
  { log, sealer }: { log: Log; sealer: BodySealer },
): AsyncGenerator<BundleEntry> {
  let stored: readonly StoredEntry[] = [];
  let bundle = -1;
  for (const { index, body } of wanted) {
    if (bundleOf(index) !== bundle) {
      bundle = bundleOf(index);
      stored = await readVerifiedBundle(log, bundle, at);
    }
    const entry = stored[index % TILE_WIDTH];
    if (entry === undefined) throw new NectarError('AUDIT_INDEX_OUT_OF_RANGE', { index, size: at.size });
    const leaf = Buffer.from(entry.leaf).toString('utf8');
    const open = body ? openBody(index, entry, sealer) : undefined;
    if (body && open === undefined)
      throw new NectarError('AUDIT_BODY_INVALID', { index, reason: 'it was erased while it was being exported' });
    yield {
      index,
      leaf,
      ...(open === undefined ? {} : { salt: encodeBase64(open.salt), body: encodeBase64(open.body) }),
    };
  }
}

function parseWanted(
  index: number,
  stored: StoredEntry,
  { sealer, body }: { sealer: BodySealer; body: Selection['body'] },
): AuditEntry | undefined {
  if (body === undefined) return parseEntry(index, stored, sealer);
  const open = openBody(index, stored, sealer);
  if (open === undefined || (body.holds !== undefined && !Buffer.from(open.body).includes(body.holds)))
    return undefined;
  const entry = entryOf(index, stored, open);
  return entry.body !== undefined && body.wants(entry.body) ? entry : undefined;
}

/**
 * A bundle's entries, shown to be those of the tree: the path of its first leaf, with the siblings inside the bundle taken
 * from the leaves just read, leads to the root only if every one of them is right.
 */
async function readVerifiedBundle(log: Log, bundle: number, at: Snapshot): Promise<readonly StoredEntry[]> {
  const refuse = (reason: string): never => {
    throw new NectarError('AUDIT_BUNDLE_INVALID', { path: bodyBundlePath(bundle), reason });
  };
  const first = bundle * TILE_WIDTH;
  const stored = (await log.readBundle(bundle)).slice(0, at.size - first);
  const hashes = stored.map(({ leaf }) => leafHash(leaf));
  const own = { level: 0, index: bundle, width: stored.length };
  const partial = at.partials.find((tile) => tilePath(tile) === tilePath(own));
  const [leaf] = hashes;
  if (leaf === undefined || stored.length !== Math.min(TILE_WIDTH, at.size - first))
    return refuse('leaves are missing');
  if (partial?.hashes.some((hash, i) => !isSameHash(hash, hashes[i] ?? EMPTY_ROOT))) refuse('a leaf was altered');
  const given = new Map([[tilePath(own), encodeTile(hashes)]]);
  verifyInclusion({ index: first, hash: leaf }, await log.inclusion(first, at, given), at);
  return stored;
}

function openBody(index: number, { leaf, sealed }: StoredEntry, sealer: BodySealer): OpenBody | undefined {
  if (sealed === undefined) return undefined;
  const open = sealer.open(placeOf(index, leaf), sealed);
  if (bodyHash(open.salt, open.body) === parseAuditLeaf(leaf).bodyHash) return open;
  throw new NectarError('AUDIT_BODY_INVALID', { index, reason: 'it is not the one that the leaf commits to' });
}

function parseEntry(index: number, stored: StoredEntry, sealer: BodySealer): AuditEntry {
  return entryOf(index, stored, openBody(index, stored, sealer));
}

function entryOf(index: number, stored: StoredEntry, open: OpenBody | undefined): AuditEntry {
  return {
    index,
    leafHash: Buffer.from(leafHash(stored.leaf)).toString('hex') as LeafHash,
    leaf: parseAuditLeaf(stored.leaf),
    // Sealed by us and shown to be what the leaf commits to: trusted from here on.
    body: open === undefined ? undefined : (JSON.parse(Buffer.from(open.body).toString('utf8')) as AuditEventJson),
  };
}

function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
