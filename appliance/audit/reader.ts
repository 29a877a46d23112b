import type { LeafHash } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { type AuditLeaf, bodyHash, parseAuditLeaf } from '../../protocol/merkle/audit-leaf.ts';
import type { AuditProof } from '../../protocol/merkle/audit-proof.ts';
import { isSameHash, leafHash } from '../../protocol/merkle/hash.ts';
import { encodeTile, TILE_WIDTH, tilePath } from '../../protocol/merkle/tile.ts';
import { encodeVerifierKey, type VerifierKey } from '../../protocol/merkle/verifier-key.ts';
import { verifyInclusion } from '../../protocol/merkle/verify.ts';
import type { AuditEventJson } from './balp.ts';
import { bodyBundlePath, type StoredEntry } from './body-bundle.ts';
import type { BodySealer, OpenBody } from './body-seal.ts';
import type { SignedSnapshot } from './checkpoints.ts';
import type { Log, Snapshot } from './log.ts';

/** One entry as it is read back. */
export interface AuditEntry {
  readonly index: number;
  readonly leafHash: LeafHash;
  readonly leaf: AuditLeaf;
  /** The FHIR AuditEvent; undefined once it has been erased after its retention. */
  readonly body: AuditEventJson | undefined;
}

/** Reads entries back, each checked against the tree and its seal: what the disk says is not believed. */
export interface Reader {
  entry(index: number): Promise<AuditEntry>;
  /** The entries `[begin, end)`, in order, a bundle at a time. */
  entries(begin: number, end: number): AsyncIterable<AuditEntry>;
  prove(index: number, checkpoint: SignedSnapshot, withBody: boolean): Promise<AuditProof>;
}

export function createReader(log: Log, sealer: BodySealer, key: VerifierKey): Reader {
  /**
   * A bundle's entries, shown to be those of the tree: the path of its first leaf, with the siblings inside the bundle taken
   * from the leaves just read, leads to the root only if every one of them is right.
   */
  async function readBundle(bundle: number, at: Snapshot): Promise<readonly StoredEntry[]> {
    const first = bundle * TILE_WIDTH;
    const stored = (await log.readBundle(bundle)).slice(0, at.size - first);
    const hashes = stored.map(({ leaf }) => leafHash(leaf));
    const own = { level: 0, index: bundle, width: stored.length };
    const partial = at.partials.find((tile) => tilePath(tile) === tilePath(own));
    const given = new Map([[tilePath(own), encodeTile(hashes)]]);
    const [leaf] = hashes;
    if (leaf === undefined || stored.length !== Math.min(TILE_WIDTH, at.size - first))
      refuseBundle(bundle, 'leaves are missing');
    if (partial?.hashes.some((hash, i) => !isSameHash(hash, hashes[i] ?? hash.subarray(1))))
      refuseBundle(bundle, 'a leaf was altered');
    verifyInclusion({ index: first, hash: leaf }, await log.inclusion(first, at, given), at);
    return stored;
  }

  async function readStored(index: number, at: Snapshot): Promise<StoredEntry> {
    const stored =
      index < at.size ? (await readBundle(Math.floor(index / TILE_WIDTH), at))[index % TILE_WIDTH] : undefined;
    if (stored === undefined) throw new NectarError('AUDIT_INDEX_OUT_OF_RANGE', { index, size: at.size });
    return stored;
  }

  function openBody(index: number, { leaf, sealed }: StoredEntry): OpenBody | undefined {
    if (sealed === undefined) return undefined;
    const open = sealer.open({ index, leafHash: leafHash(leaf) }, sealed);
    if (bodyHash(open.salt, open.body) === parseAuditLeaf(leaf).bodyHash) return open;
    throw new NectarError('AUDIT_BODY_INVALID', { index, reason: 'it is not the one that the leaf commits to' });
  }

  function parseEntry(index: number, stored: StoredEntry): AuditEntry {
    const open = openBody(index, stored);
    return {
      index,
      leafHash: Buffer.from(leafHash(stored.leaf)).toString('hex') as LeafHash,
      leaf: parseAuditLeaf(stored.leaf),
      // Sealed by us and shown to be what the leaf commits to: trusted from here on.
      body: open === undefined ? undefined : (JSON.parse(Buffer.from(open.body).toString('utf8')) as AuditEventJson),
    };
  }

  return {
    entry: async (index) => parseEntry(index, await readStored(index, log.snapshot())),
    async *entries(begin, end) {
      const at = log.snapshot();
      for (let bundle = Math.floor(begin / TILE_WIDTH); bundle * TILE_WIDTH < Math.min(end, at.size); bundle++) {
        for (const [i, entry] of (await readBundle(bundle, at)).entries()) {
          const index = bundle * TILE_WIDTH + i;
          if (index >= begin && index < end) yield parseEntry(index, entry);
        }
      }
    },
    async prove(index, { issued, at }, withBody) {
      const stored = await readStored(index, at);
      const open = openBody(index, stored);
      const path = await log.inclusion(index, at);
      verifyInclusion({ index, hash: leafHash(stored.leaf) }, path, at);
      const proof: AuditProof = {
        v: 1,
        kind: 'nectar-audit-proof',
        index,
        size: at.size,
        leaf: Buffer.from(stored.leaf).toString('utf8'),
        path: path.map((hash) => Buffer.from(hash).toString('hex')),
        checkpoint: issued.note,
        vkey: encodeVerifierKey(key),
      };
      if (!withBody || open === undefined) return proof;
      return {
        ...proof,
        salt: Buffer.from(open.salt).toString('base64'),
        body: Buffer.from(open.body).toString('base64'),
      };
    },
  };
}

function refuseBundle(bundle: number, reason: string): never {
  throw new NectarError('AUDIT_BUNDLE_INVALID', { path: bodyBundlePath(bundle), reason });
}
