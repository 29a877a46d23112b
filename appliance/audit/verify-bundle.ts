import { NectarError } from '../../protocol/errors.ts';
import { auditFacts } from '../../protocol/merkle/audit-facts.ts';
import { bodyHash, parseAuditLeaf } from '../../protocol/merkle/audit-leaf.ts';
import { parseEntryBundle } from '../../protocol/merkle/entry-bundle.ts';
import { TILE_WIDTH, tilePath } from '../../protocol/merkle/tile.ts';
import { bodyBundlePath, parseBodyBundle, type StoredEntry } from './body-bundle.ts';
import { type BodySealer, type OpenBody, placeOf } from './body-seal.ts';
import type { Disk } from './disk.ts';
import { type Findings, finding } from './finding.ts';
import type { LeafNotes } from './leaf-notes.ts';

/** One bundle as both of its files tell it. */
export interface VerifiedBundle {
  /** The leaves, by the entry bundle where there is one, else by the body bundle. */
  readonly leaves: readonly Uint8Array[];
  readonly bodies: number;
  readonly erased: number;
}

export interface VerifyBundleDeps {
  readonly disk: Disk;
  readonly findings: Findings;
  /** Undefined when the node is locked: then bodies are not opened. */
  readonly sealer: BodySealer | undefined;
  readonly notes: LeafNotes;
  /** Up to this size every tile must be on disk; behind it a crash may have kept some from being written, and the next start makes them. */
  readonly tiledSize: number;
  readonly erasures: Erasures;
}

/** Erased bodies, held against the entries that record erasures: a body that nobody erased by rule was taken away. */
export interface Erasures {
  recorded(before: string): void;
  found(index: number, time: string): void;
  /** The first leaf whose missing body no recorded erasure explains; undefined when all are explained, or no body can be opened. */
  unexplained(): number | undefined;
}

export function createErasures(canOpen: boolean): Erasures {
  let before = '';
  const newest = new Map<string, number>();
  return {
    recorded(time) {
      if (time > before) before = time;
    },
    found(index, time) {
      if (!newest.has(time)) newest.set(time, index);
    },
    unexplained: () =>
      canOpen
        ? [...newest]
            .filter(([time]) => time >= before)
            .map(([, index]) => index)
            .toSorted((a, b) => a - b)[0]
        : undefined,
  };
}

/** Leaves that the body bundle of a number holds, as far as it parses; undefined when there is none. */
async function readBodyBundle(
  { disk, findings }: VerifyBundleDeps,
  bundle: number,
  limit: number,
): Promise<readonly StoredEntry[] | undefined> {
  const path = bodyBundlePath(bundle);
  const bytes = await disk.read(path);
  if (bytes === undefined) return undefined;
  const parsed = findings.check(() => parseBodyBundle(bytes, bundle));
  return parsed?.entries.slice(0, limit);
}

/** Verifies one bundle of `width` leaves: both files agree, every leaf is canonical, every body opens and is its leaf's. */
export async function verifyBundle(
  deps: VerifyBundleDeps,
  bundle: number,
  width: number,
): Promise<VerifiedBundle | undefined> {
  const { findings } = deps;
  const stored = await readBodyBundle(deps, bundle, width);
  const entries = width === TILE_WIDTH ? await readEntries(deps, bundle) : undefined;
  if (stored === undefined || stored.length < width) {
    const reason = stored === undefined ? 'it is missing or unreadable' : 'entries are missing';
    findings.add(finding('AUDIT_BUNDLE_INVALID', { path: bodyBundlePath(bundle), reason }), 'integrity');
  }
  const count = entries?.length ?? stored?.length;
  if (count === undefined) return undefined;
  const verified = { leaves: [] as Uint8Array[], bodies: 0, erased: 0 };
  for (let i = 0; i < count; i++) {
    const entry = stored?.[i];
    const index = bundle * TILE_WIDTH + i;
    const open = entry === undefined ? undefined : findings.check(() => verifyBody(index, entry, deps.sealer));
    const isOpened = open !== undefined;
    const leaf = agreedLeaf({ listed: entries?.[i], entry, isOpened, bundle }, findings);
    if (leaf === undefined) continue;
    const parsed = findings.check(() => parseAuditLeaf(leaf));
    if (parsed !== undefined) deps.notes.take(index, parsed, open);
    if (parsed?.type === 'audit.erase' && open !== undefined) deps.erasures.recorded(erasedBefore(open));
    verified.leaves.push(leaf);
    if (isOpened) verified.bodies += 1;
    if (entry !== undefined && entry.sealed === undefined) {
      verified.erased += 1;
      if (parsed !== undefined) deps.erasures.found(index, parsed.time);
      if (index >= deps.tiledSize) {
        const reason = 'it is missing, and no checkpoint covers its leaf';
        findings.add(finding('AUDIT_BODY_INVALID', { index, reason }), 'integrity');
      }
    }
  }
  return verified;
}

interface LeafSources {
  readonly listed: Uint8Array | undefined;
  readonly entry: StoredEntry | undefined;
  readonly isOpened: boolean;
  readonly bundle: number;
}

/** The leaf that both files tell. Where they differ, the one that its sealed body vouches for is right. */
function agreedLeaf({ listed, entry, isOpened, bundle }: LeafSources, findings: Findings): Uint8Array | undefined {
  if (listed === undefined || entry === undefined) return listed ?? entry?.leaf;
  if (Buffer.compare(listed, entry.leaf) === 0) return listed;
  const path = isOpened ? tilePath({ level: 'entries', index: bundle, width: TILE_WIDTH }) : bodyBundlePath(bundle);
  findings.add(
    finding('AUDIT_BUNDLE_INVALID', { path, reason: 'a leaf differs between the entry bundle and the body bundle' }),
    'integrity',
  );
  return isOpened ? entry.leaf : listed;
}

async function readEntries(
  { disk, findings, tiledSize }: VerifyBundleDeps,
  bundle: number,
): Promise<readonly Uint8Array[] | undefined> {
  const path = tilePath({ level: 'entries', index: bundle, width: TILE_WIDTH });
  const bytes = await disk.read(path);
  if (bytes !== undefined) return findings.check(() => parseEntryBundle(bytes, TILE_WIDTH, path));
  if ((bundle + 1) * TILE_WIDTH <= tiledSize)
    findings.add(finding('AUDIT_TILE_INVALID', { path, reason: 'it is missing' }), 'integrity');
  return undefined;
}

function erasedBefore({ body }: OpenBody): string {
  return auditFacts(JSON.parse(Buffer.from(body).toString('utf8'))).detail.get('before') ?? '';
}

/** The body, shown to be its leaf's; undefined when it was erased, or there is no key to open it with. */
function verifyBody(
  index: number,
  { leaf, sealed }: StoredEntry,
  sealer: BodySealer | undefined,
): OpenBody | undefined {
  if (sealed === undefined || sealer === undefined) return undefined;
  const open = sealer.open(placeOf(index, leaf), sealed);
  if (bodyHash(open.salt, open.body) === parseAuditLeaf(leaf).bodyHash) return open;
  throw new NectarError('AUDIT_BODY_INVALID', { index, reason: 'it is not the one that the leaf commits to' });
}
