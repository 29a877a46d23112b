import { COMMITMENT_SALT_BYTES } from '../../protocol/envelope/commitment.ts';
import { freeBytes } from '../stream-memory.ts';
import { readBlob } from './blob-reader.ts';
import { findEntry, type StoreCore } from './core.ts';
import { encodeEntry, type SupersededEntry, storedDek, type VersionEntry } from './entries.ts';
import { everyHolder } from './holders.ts';
import type { IndexOp } from './index-db.ts';
import { KIND } from './index-keys.ts';
import type { AccessContext } from './needs.ts';
import { recordPatients } from './record-patients.ts';
import { type SealedVersion, sealVersion } from './seal-version.ts';

export interface RekeyOne {
  readonly entry: VersionEntry;
  readonly target: string;
  readonly context: AccessContext;
  readonly signal: AbortSignal;
  /** Between two segments: time for others. */
  readonly rest: () => Promise<void>;
}

/** Whether the data key of a version was made before the target KEK: whoever had an older KEK may know it. */
export function isOlder({ dek }: VersionEntry, target: string): boolean {
  return dek.since === undefined || kekNumber(dek.since) < kekNumber(target);
}

/**
 * Reads a version and seals it anew under a data key of its own, beside the old one; then, under the record's lock, leaf and index. The
 * version stays the version, with its time, labels and digests; its CID is another one. False: it was destroyed, or changed, meanwhile.
 */
export async function rekeyVersion(core: StoreCore, of: RekeyOne): Promise<boolean> {
  const { entry, context, signal } = of;
  const { recordId, version, bytes } = entry;
  const give = core.uses.take(entry.root);
  try {
    const body = wiped(readBlob(core, { entry, context, signal, start: 0, end: bytes }), of.rest);
    const wanted = { recordId, version, body, signals: [signal], maxBytes: Number.MAX_SAFE_INTEGER };
    await sealVersion(core, wanted, (sealed) => replace(core, of, sealed));
    return true;
  } catch (error) {
    if (error instanceof Overtaken) return false;
    throw error;
  } finally {
    give();
  }
}

/** Internal: the new ciphertext is of an entry that is no more, and is collected. */
class Overtaken extends Error {}

async function* wiped(source: AsyncIterable<Uint8Array>, rest: () => Promise<void>): AsyncGenerator<Uint8Array> {
  for await (const plaintext of source) {
    yield plaintext;
    plaintext.fill(0);
    freeBytes(plaintext);
    await rest();
  }
}

async function replace(core: StoreCore, of: RekeyOne, sealed: SealedVersion): Promise<void> {
  const { recordId, version, root } = of.entry;
  const key = core.keys.version(recordId, version);
  const entry = await findEntry<VersionEntry>(core, key);
  if (entry === undefined || entry.root !== root || !isOlder(entry, of.target)) throw new Overtaken();
  const detail = { cid: sealed.blob.root, replaces: root, bytes: entry.bytes };
  const about = { context: of.context, recordId, version, ...recordPatients(entry.labels) };
  const event = { type: 'record.rekey', ...about, detail } as const;
  const leaf = await core.trail.begin({ ...event, outcome: 'success' });
  try {
    // In one turn with the commit that it goes into: no rotation comes between.
    await core.db.commit(replaceOps(core, entry, { ...sealed, leaf: leaf.index }));
  } catch (error) {
    await core.trail.append({ ...event, outcome: 'failure' }).catch(() => undefined);
    throw error;
  } finally {
    leaf.settle();
  }
}

/** One batch: the version names its new ciphertext, what finds it does too, and the old one is written down as replaced. */
function replaceOps(core: StoreCore, old: VersionEntry, sealed: SealedVersion & { readonly leaf: number }): IndexOp[] {
  const { keys } = core;
  const { recordId, version } = old;
  const { blob } = sealed;
  const ref = { recordId, version };
  const put = (key: Uint8Array, value: object): IndexOp => ({ type: 'put', key, value: encodeEntry(value) });
  const replaced: SupersededEntry = { root: old.root, inline: old.inline, holders: everyHolder(old) };
  const ops: IndexOp[] = [
    put(keys.version(recordId, version), renewed(core, old, sealed)),
    { type: 'del', key: keys.ofCid(KIND.root, old.root) },
    put(keys.ofCid(KIND.root, blob.root), ref),
    put(keys.ofCid(KIND.superseded, old.root), replaced),
    put(keys.ofVersion(KIND.unanchored, recordId, version), ref),
    blob.inline === undefined
      ? { type: 'del', key: keys.ofCid(KIND.garbage, blob.root) }
      : { type: 'put', key: keys.ofCid(KIND.inlineBlock, blob.root), value: blob.inline },
  ];
  if (old.anchor !== undefined) ops.push({ type: 'count', delta: { anchored: -1 } });
  if (core.options.replicas > 0) ops.push(put(keys.ofVersion(KIND.underReplicated, recordId, version), ref));
  return ops;
}

function renewed(
  core: StoreCore,
  { anchor: _, former: __, ...old }: VersionEntry,
  { wrapped, blob, leaf }: SealedVersion & { readonly leaf: number },
): VersionEntry {
  const { recordId, version } = old;
  return {
    ...old,
    root: blob.root,
    header: Buffer.from(blob.header).toString('base64'),
    inline: blob.inline !== undefined,
    dek: storedDek(core.deps.keys.rewrapDek(wrapped, { recordId, version }), wrapped.kekId),
    salt: Buffer.from(core.deps.randomBytes(COMMITMENT_SALT_BYTES)).toString('base64'),
    holders: [],
    rekeyed: { leaf, cid: old.rekeyed?.cid ?? old.root },
  };
}

function kekNumber(id: string): number {
  return Number(/^kek\/([0-9]{1,10})$/.exec(id)?.[1] ?? Number.NaN);
}
