import { NectarError } from '../../protocol/errors.ts';
import { bundleDigest, headsDigest, MAX_BUNDLE_ENTRIES } from '../../protocol/merkle/audit-bundle.ts';
import { type AuditFilter, describeAuditFilter, matchesLeaf } from '../../protocol/merkle/audit-filter.ts';
import { type BundleHead, encodeBundleLine, MAX_BUNDLE_HEADS } from '../../protocol/merkle/bundle-lines.ts';
import { TILE_WIDTH } from '../../protocol/merkle/tile.ts';
import { encodeVerifierKey, type VerifierKey } from '../../protocol/merkle/verifier-key.ts';
import { type TreeHead, verifyConsistency } from '../../protocol/merkle/verify.ts';
import { bundleOf } from './bundle-file.ts';
import type { AccessContext, AuditInput } from './event.ts';
import type { OpenLog } from './open-log.ts';
import { selectionOf } from './query.ts';
import type { Disclosure, Reader, Selection } from './reader.ts';
import type { AuditAnchor } from './verify-folder.ts';

/** What to put into a bundle. */
export interface AuditExportRequest {
  readonly filter: AuditFilter;
  /** The patient's records by the labels of today. */
  readonly records?: readonly string[];
  /** Whether the events themselves are shown, or their leaves alone. */
  readonly bodies: boolean;
  /** Whether every leaf of the searched time is listed, so that the reader sees that none is missing. */
  readonly allLeaves: boolean;
  /** Heads that are kept outside; the newest ones get a consistency proof. */
  readonly anchors: readonly AuditAnchor[];
}

export interface ExportDeps {
  readonly log: OpenLog;
  readonly key: VerifierKey;
  readonly append: (event: AuditInput) => Promise<{ index: number }>;
}

interface Listed extends Disclosure {
  readonly hash: Uint8Array;
}

/**
 * Makes a bundle (protocol/merkle/audit-bundle.ts). First everything is found, then the log records what is about to be shown,
 * then a checkpoint covers that, and only then the first byte leaves.
 */
export async function exportBundle(
  request: AuditExportRequest,
  context: AccessContext,
  deps: ExportDeps & { readonly signal: AbortSignal },
): Promise<AsyncIterable<Uint8Array>> {
  const { log, key, append, signal } = deps;
  const { filter, bodies, allLeaves } = request;
  const searched = log.leaves.size();
  const found = await findListed(request, { reader: log.reader, size: searched, signal });
  const { size } = (await log.checkpoint()).at;
  const anchors = request.anchors.filter((anchor) => anchor.size > 0 && anchor.size <= size).slice(-MAX_BUNDLE_HEADS);
  const { index } = await append({
    type: 'audit.export',
    outcome: 'success',
    context,
    detail: {
      filter: describeAuditFilter(filter),
      from: found.from,
      to: found.to,
      count: found.listed.length,
      bodies: bodies ? 'yes' : 'no',
      leaves: allLeaves ? 'all' : 'meant',
      undecided: found.undecided,
      digest: bundleDigest(found.listed.map((entry) => ({ ...entry, body: entry.body ? '' : undefined }))),
      heads: headsDigest(anchors),
    },
  });
  const { issued, at } = await log.checkpoint();
  const wanted: Disclosure[] = [...found.listed, { index, body: true }];
  const proof = await log.leaves.multiProof(
    wanted.map((entry) => entry.index),
    at,
  );
  const header = encodeBundleLine({
    v: 1,
    kind: 'nectar-audit-bundle',
    checkpoint: issued.note,
    vkey: encodeVerifierKey(key),
    proof: proof.map(hex),
    heads: await proveHeads(anchors, at, async (from) => log.leaves.consistency(from, at)),
  });
  return encodeLines(header, log.reader.disclose(wanted, at));
}

async function proveHeads(
  anchors: readonly AuditAnchor[],
  at: TreeHead,
  consistency: (from: number) => Promise<Uint8Array[]>,
): Promise<BundleHead[]> {
  const heads: BundleHead[] = [];
  for (const { size, root, where } of anchors) {
    const path = await consistency(size);
    // A head that contradicts the log is no matter for a bundle: `audit verify` says what it means.
    verifyConsistency({ size, root: Buffer.from(root, 'hex') }, at, path);
    heads.push({ size, root, where, path: path.map(hex) });
  }
  return heads;
}

async function* encodeLines(
  header: string,
  entries: ReturnType<Reader['disclose']>,
): AsyncGenerator<Uint8Array, void, void> {
  yield Buffer.from(`${header}\n`);
  for await (const entry of entries) yield Buffer.from(`${encodeBundleLine(entry)}\n`);
}

interface Found {
  readonly listed: readonly Listed[];
  readonly from: number;
  readonly to: number;
  readonly undecided: number;
}

interface SearchDeps {
  readonly reader: Reader;
  readonly size: number;
  readonly signal: AbortSignal;
}

async function findListed(request: AuditExportRequest, deps: SearchDeps): Promise<Found> {
  const { filter, records, bodies, allLeaves } = request;
  const selection = selectionOf(filter, records === undefined ? undefined : new Set(records));
  const meant: Listed[] = [];
  let undecided = 0;
  for await (const found of selectAll(selection, deps)) {
    undecided += found.undecided.length;
    for (const { index, leafHash, body } of found.entries)
      meant.push({ index, hash: Buffer.from(leafHash, 'hex'), body: bodies && body !== undefined });
    requireRoom(meant);
  }
  if (!allLeaves) return { listed: meant, from: 0, to: deps.size, undecided };
  const { since, until } = filter;
  const time: Selection = {
    leaf: (leaf) => matchesLeaf({ ...(since && { since }), ...(until && { until }) }, leaf),
    body: undefined,
  };
  return { ...(await listAll(meant, time, deps)), undecided };
}

/** Every leaf from the first of the searched time to the last, in one row; bodies only of those that are meant. */
async function listAll(meant: readonly Listed[], time: Selection, deps: SearchDeps): Promise<Omit<Found, 'undecided'>> {
  let [from, to] = [Number.POSITIVE_INFINITY, 0];
  for await (const { entries } of selectAll(time, deps)) {
    from = Math.min(from, entries[0]?.index ?? from);
    to = Math.max(to, (entries.at(-1)?.index ?? -1) + 1);
  }
  if (to === 0) return { listed: [], from: 0, to: 0 };
  const bodies = new Map(meant.map(({ index, body }) => [index, body]));
  const listed: Listed[] = [];
  const everything: Selection = { leaf: () => true, body: undefined };
  for await (const { entries } of selectAll(everything, { ...deps, size: to }, from)) {
    for (const { index, leafHash } of entries)
      listed.push({ index, hash: Buffer.from(leafHash, 'hex'), body: bodies.get(index) ?? false });
    requireRoom(listed);
  }
  return { listed, from, to };
}

async function* selectAll(selection: Selection, { reader, size, signal }: SearchDeps, from = 0) {
  for (let begin = from; begin < size; begin = (bundleOf(begin) + 1) * TILE_WIDTH) {
    signal.throwIfAborted();
    yield await reader.select({ begin, end: Math.min(size, (bundleOf(begin) + 1) * TILE_WIDTH) }, selection);
  }
}

function requireRoom(listed: readonly Listed[]): void {
  if (listed.length <= MAX_BUNDLE_ENTRIES) return;
  const problem = `more than ${MAX_BUNDLE_ENTRIES} entries are meant: narrow the time`;
  throw new NectarError('AUDIT_FILTER_INVALID', { condition: 'since', problem });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
