import { randomBytes } from 'node:crypto';
import type { RootHash } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { type SignedCheckpoint, verifyCheckpoint } from '../../protocol/merkle/checkpoint.ts';
import { appendLeafHash, type CompactRange, EMPTY_RANGE, rangeRoot } from '../../protocol/merkle/compact-range.ts';
import { isSameHash, leafHash } from '../../protocol/merkle/hash.ts';
import { indexPath, TILE_WIDTH } from '../../protocol/merkle/tile.ts';
import { parseVerifierKey, SIGNATURE_TYPE, type VerifierKey } from '../../protocol/merkle/verifier-key.ts';
import type { TreeHead } from '../../protocol/merkle/verify.ts';
import { bodyBundlePath, parseBodyBundle } from './body-bundle.ts';
import { createBodySealer } from './body-seal.ts';
import type { DeclaredEpoch } from './declared-epoch.ts';
import { createDisk, type Disk } from './disk.ts';
import { createEpochs, type Epochs } from './epochs.ts';
import { type AuditFinding, createFindings, type Findings, finding } from './finding.ts';
import { explaining } from './judge-head.ts';
import { createKnownHeadsFile } from './known-heads.ts';
import { createLeafNotes, type LeafNotes } from './leaf-notes.ts';
import { readCheckpoint } from './recover.ts';
import { createErasures, type VerifyBundleDeps, verifyBundle } from './verify-bundle.ts';
import { createTileCheck } from './verify-tiles.ts';

/** A tree head that somebody else keeps: the chain, a peer, a person with an older checkpoint. */
export interface AuditAnchor {
  readonly size: number;
  /** 64 hex digits. */
  readonly root: RootHash;
  /** Who keeps it, for the findings. */
  readonly where: string;
  /** When it left the log's machine, in milliseconds. Without it no declared gap explains that it differs. */
  readonly at?: number;
}

/** What a verification says of a log. */
export interface AuditVerdict {
  /** Whether nothing was altered. */
  readonly integrity: 'ok' | 'violated';
  /** Whether nothing was cut off; unknown when nobody outside keeps a tree head to compare with. */
  readonly completeness: 'ok' | 'violated' | 'unknown';
  readonly size: number;
  readonly root: RootHash;
  readonly findings: readonly AuditFinding[];
  /** Bodies that were opened and matched, and those erased after their retention. The rest could not be opened: no key. */
  readonly bodies: { readonly opened: number; readonly erased: number };
  /** The epochs that restores began, each with what it declares lost: shown for ever, and nothing else is wrong with them. */
  readonly epochs: readonly DeclaredEpoch[];
}

export interface VerifyProgress {
  readonly leaves: number;
  readonly total: number;
}

export interface VerifyFolderOptions {
  readonly folder: string;
  /** The log's key, NAME+HASH+KEY; its name is the origin. */
  readonly vkey: string;
  /** The audit-body key; without it bodies are not opened, and only the tree is verified. */
  readonly bodyKey?: Uint8Array;
  readonly anchors?: readonly (AuditAnchor & { readonly epoch?: number })[];
  /** Keys of witnesses: a cosignature of one of them on the checkpoint counts as a tree head kept outside. */
  readonly witnesses?: readonly string[];
  readonly onProgress?: (progress: VerifyProgress) => void;
  /** Milliseconds: leaves dated later are said. */
  readonly now?: number;
  readonly signal?: AbortSignal;
}

/** Verifies a log whose node is down, from its folder alone. */
export async function verifyAuditFolder(options: VerifyFolderOptions): Promise<AuditVerdict> {
  const key = parseVerifierKey(options.vkey);
  return verifyLog({
    ...options,
    disk: createDisk(options.folder),
    key,
    witnessKeys: (options.witnesses ?? []).map(parseVerifierKey),
  });
}

export interface VerifyLogOptions extends Omit<VerifyFolderOptions, 'folder' | 'vkey' | 'witnesses'> {
  readonly disk: Disk;
  readonly key: VerifierKey;
  readonly witnessKeys: readonly VerifierKey[];
  /**
   * The tree of the running node: leaves behind it are being appended and are none of this verification. Asked after the
   * checkpoint was read, since a newer checkpoint would seem to vouch for leaves that are not there.
   */
  readonly live?: () => Promise<TreeHead>;
}

/** A tree head to compare with when the recomputed tree has its size. */
interface Expected extends TreeHead {
  readonly where: string;
  /** Kept by somebody else than this machine. */
  readonly outside: boolean;
  readonly at: number;
  readonly epoch?: number;
  /** From beside the log: an older copy of the folder has older ones, so they show a fault, and never that there is none. */
  readonly beside?: true;
}

/** Recomputes the whole tree from the files, a bundle at a time: memory stays flat however long the log is. */
export async function verifyLog(options: VerifyLogOptions): Promise<AuditVerdict> {
  const { key, signal } = options;
  const findings = createFindings();
  const disk = createReportingDisk(options.disk, findings);
  const epochs = createEpochs(key);
  const notes = createLeafNotes({ epochs, findings, hasKey: options.bodyKey !== undefined, now: options.now });
  const sealer = options.bodyKey === undefined ? undefined : createBodySealer(options.bodyKey, epochs, randomBytes);
  const checkpoint = await verifyCheckpointFile({ ...options, disk }, findings);
  const live = await options.live?.();
  const tiledSize = live?.size ?? checkpoint?.size ?? 0;
  const erasures = createErasures(sealer !== undefined);
  const deps: VerifyBundleDeps = { disk, findings, sealer, notes, tiledSize, erasures };
  const expected = [
    ...expectedHeads(options, checkpoint, live),
    ...(await headsBeside({ ...options, disk }, findings)),
  ];
  const total = live?.size ?? (await sizeAtRest(deps, checkpoint?.size ?? 0));

  const tiles = createTileCheck(disk, findings, tiledSize);
  const bodies = { opened: 0, erased: 0 };
  let range: CompactRange = EMPTY_RANGE;
  const differing = new Set(findDiffering(range, expected));
  for (let bundle = 0; bundle * TILE_WIDTH < total; bundle++) {
    signal?.throwIfAborted();
    const verified = await verifyBundle(deps, bundle, Math.min(TILE_WIDTH, total - bundle * TILE_WIDTH));
    if (verified === undefined) break; // Without its leaves nothing behind it has a root; the finding is made.
    for (const leaf of verified.leaves) {
      const hash = leafHash(leaf);
      range = appendLeafHash(range, hash);
      for (const head of findDiffering(range, expected)) differing.add(head);
      await tiles.append(hash);
    }
    bodies.opened += verified.bodies;
    bodies.erased += verified.erased;
    options.onProgress?.({ leaves: range.size, total });
  }
  await tiles.finish(live === undefined);
  const unexplained = erasures.unexplained();
  if (unexplained !== undefined) {
    const reason = 'it is missing, and no recorded erasure reaches so far';
    findings.add(finding('AUDIT_BODY_INVALID', { index: unexplained, reason }), 'integrity');
  }
  if (checkpoint !== undefined) checkEpoch(checkpoint, epochs, notes, findings);
  return verdict(range, { expected, differing, notes, findings, bodies });
}

function verdict(
  range: CompactRange,
  found: {
    expected: readonly Expected[];
    differing: ReadonlySet<Expected>;
    notes: LeafNotes;
    findings: Findings;
    bodies: AuditVerdict['bodies'];
  },
): AuditVerdict {
  const { expected, differing, notes, findings, bodies } = found;
  let compared = false;
  for (const head of expected) {
    const { size, where, outside, beside } = head;
    const isHeld = size <= range.size && !differing.has(head);
    const isDeclared = outside && (!notes.complete || explaining(head, notes.declared) !== undefined);
    if (!isHeld && isDeclared) continue;
    if (size > range.size)
      findings.add(finding('AUDIT_TRUNCATED', { size: range.size, expected: size, where }), 'completeness');
    else if (!isHeld) findings.add(finding('AUDIT_FORKED', { size, where }), 'integrity');
    compared ||= outside && beside !== true;
  }
  notes.report();
  const incomplete = findings.count('completeness') > 0;
  return {
    integrity: findings.count('integrity') > 0 ? 'violated' : 'ok',
    completeness: incomplete ? 'violated' : compared ? 'ok' : 'unknown',
    size: range.size,
    root: hex(rangeRoot(range)),
    findings: findings.list,
    bodies,
    epochs: notes.declared,
  };
}

async function verifyCheckpointFile(
  { disk, key, witnessKeys }: VerifyLogOptions,
  findings: Findings,
): Promise<SignedCheckpoint | undefined> {
  const note = await readCheckpoint(disk);
  if (note !== undefined) return findings.check(() => verifyCheckpoint(note, key, witnessKeys));
  findings.add(finding('AUDIT_CHECKPOINT_INVALID', { reason: 'the file is missing' }), 'integrity');
  return undefined;
}

function expectedHeads(
  { anchors }: VerifyLogOptions,
  checkpoint: SignedCheckpoint | undefined,
  live: TreeHead | undefined,
): Expected[] {
  const heads: Expected[] = (anchors ?? []).map(({ root, at, ...head }) => ({
    ...head,
    root: Buffer.from(root, 'hex'),
    outside: true,
    at: at ?? Number.POSITIVE_INFINITY,
  }));
  const own = { outside: false, at: Number.POSITIVE_INFINITY };
  if (live !== undefined) heads.push({ ...live, ...own, where: 'the running node' });
  const cosigned = checkpoint?.signatures.find(({ key }) => key.type === SIGNATURE_TYPE.cosignature);
  if (checkpoint !== undefined) {
    heads.push({
      ...own,
      size: checkpoint.size,
      root: checkpoint.root,
      where: cosigned === undefined ? 'the checkpoint' : `witness ${cosigned.key.name}`,
      outside: cosigned !== undefined,
    });
  }
  return heads;
}

/** The heads that the log itself keeps of those that left; under a MAC, so only for who has the key of the bodies. */
async function headsBeside({ disk, bodyKey, anchors = [] }: VerifyLogOptions, findings: Findings): Promise<Expected[]> {
  if (bodyKey === undefined) return [];
  const { heads } = await createKnownHeadsFile(disk, bodyKey)
    .load()
    .catch((error: unknown) => {
      if (!(error instanceof NectarError)) throw error;
      findings.add(error, 'integrity');
      return { heads: [] };
    });
  return heads
    .filter((head) => !anchors.some(({ size, root }) => size === head.size && root === head.root))
    .map((head) => ({ ...head, root: Buffer.from(head.root, 'hex'), outside: true, beside: true }));
}

function findDiffering(range: CompactRange, expected: readonly Expected[]): Expected[] {
  return expected.filter(({ size, root }) => size === range.size && !isSameHash(root, rangeRoot(range)));
}

/** The checkpoint must be of the newest epoch that the leaves declare. */
function checkEpoch({ origin }: SignedCheckpoint, epochs: Epochs, notes: LeafNotes, findings: Findings): void {
  if (!notes.complete || epochs.key().name === origin) return;
  const reason = `it is signed as ${origin}, and the leaves are those of ${epochs.key().name}`;
  findings.add(finding('AUDIT_CHECKPOINT_INVALID', { reason }), 'integrity');
}

/** A disk whose unreadable files are findings, and absent from there on. */
function createReportingDisk(disk: Disk, findings: Findings): Disk {
  return {
    ...disk,
    async read(path) {
      try {
        return await disk.read(path);
      } catch (error) {
        if (!(error instanceof NectarError)) throw error;
        findings.add(error, 'integrity');
        return undefined;
      }
    },
  };
}

/**
 * Leaves that a log at rest has: up to the last bundle that any of its files names, so that a gap is not taken for the end.
 * Torn bytes at that end are what a crash leaves behind, unless the checkpoint vouches for what they were.
 */
async function sizeAtRest({ disk, findings }: VerifyBundleDeps, signed: number): Promise<number> {
  const last = Math.max(await highestIndex(disk, 'bodies/'), await highestIndex(disk, 'tile/entries/'));
  if (last < 0) return 0;
  const path = bodyBundlePath(last);
  const bytes = await disk.read(path);
  const parsed = bytes === undefined ? undefined : createFindings().check(() => parseBodyBundle(bytes, last));
  const size = last * TILE_WIDTH + (parsed?.entries.length ?? TILE_WIDTH);
  if (parsed !== undefined && parsed.torn > 0)
    findings.add(finding('AUDIT_TAIL_TORN', { path, bytes: parsed.torn }), size < signed ? 'integrity' : 'none');
  return size;
}

/** The highest index among files named by indexPath below a folder; -1 when there is none. */
async function highestIndex(disk: Disk, folder: string, prefix = ''): Promise<number> {
  let highest = -1;
  for (const name of await disk.list(folder + prefix)) {
    if (/^x\d{3}\/$/.test(name)) highest = Math.max(highest, await highestIndex(disk, folder, prefix + name));
    const index = Number(`${prefix}${name}`.replaceAll(/[x/]/g, ''));
    if (/^\d{3}$/.test(name) && indexPath(index) === prefix + name) highest = Math.max(highest, index);
  }
  return highest;
}

function hex(bytes: Uint8Array): RootHash {
  return Buffer.from(bytes).toString('hex') as RootHash;
}
