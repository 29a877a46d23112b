import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { cidText, isDagPb } from './cid.ts';
import { findEntry, type StoreCore, systemContext } from './core.ts';
import { dagLinks } from './dag.ts';
import { decodeEntry, type RefEntry, type VersionEntry } from './entries.ts';
import { faulted, type HolderEntry, proved, putOut, silent } from './holder-book.ts';
import { type HolderSweep, withoutHolder } from './holder-sweep.ts';
import { KIND, kindRange } from './index-keys.ts';
import type { HeldQuestion, HolderAnswer, HolderStanding } from './replicas.ts';
import { changeVersion, getBlock } from './replication.ts';

/** How long a holder that counts no more is still read from. */
const READ_FORMER_MS = 30 * 86_400_000;
/** Entries looked at from a random place on, until one has a holder. */
const LOOK_AT = 16;
/** Holders that status names. */
const MAX_SHOWN = 64;

/** In the order in which they are asked for a block: those that count, then those that no longer do, for a time. */
export function holdersToAsk(core: StoreCore, entry: VersionEntry): PeerIdText[] {
  const now = core.deps.now().getTime();
  const former = (entry.former ?? []).filter(({ since }) => now - Date.parse(since) < READ_FORMER_MS);
  return [...entry.holders, ...former.map(({ holder }) => holder)];
}

/** All that may have a copy: they are told of its deletion. */
export function everyHolder(entry: Pick<VersionEntry, 'holders' | 'former'>): PeerIdText[] {
  return [...entry.holders, ...(entry.former ?? []).map(({ holder }) => holder)];
}

/** Questions to holders: about blocks of versions drawn at random, and one at least to each holder that is known. */
export async function holderQuestions(core: StoreCore, count: number): Promise<HeldQuestion[]> {
  const questions: HeldQuestion[] = [];
  for (let drawn = 0; drawn < count; drawn += 1) {
    const entry = await drawVersion(core);
    if (entry === undefined) break;
    const cid = await drawBlock(core, entry.root);
    for (const holder of entry.holders) questions.push({ holder, root: entry.root, cid });
  }
  const asked = new Set(questions.map(({ holder }) => holder));
  for (const { holder, root } of core.holders.all()) {
    if (!asked.has(holder)) questions.push({ holder, root, cid: await drawBlock(core, root) });
  }
  return questions;
}

/** Names of versions are hashes, so a random place among them is a random version. */
async function drawVersion(core: StoreCore): Promise<VersionEntry | undefined> {
  const all = kindRange(KIND.version);
  const place = Buffer.concat([all.gte, core.deps.randomBytes(32)]);
  for (const from of [place, all.gte]) {
    for await (const { value } of core.db.range({ ...all, gte: from, limit: LOOK_AT }, () => undefined)) {
      const entry = decodeEntry<VersionEntry>(value);
      if (entry.holders.length > 0) return entry;
    }
  }
  return undefined;
}

/** A random way down the tree, which may end at a node: every block can be drawn, and no tree is read whole. */
async function drawBlock(core: StoreCore, root: Cid): Promise<Cid> {
  let cid = root;
  while (isDagPb(cid)) {
    const node = await getBlock(core, cid);
    const links = node === undefined ? [] : dagLinks(node);
    const draw = Buffer.from(core.deps.randomBytes(4)).readUInt32BE() % (links.length + 1);
    const link = links[draw];
    if (link === undefined) return cid;
    cid = cidText(link);
  }
  return cid;
}

/** Takes an answer for what it says of the holder, and of the blob that was asked about. */
export async function takeAnswer(core: StoreCore, answer: HolderAnswer, sweep: HolderSweep): Promise<void> {
  const { holder, root, outcome } = answer;
  if (outcome === 'false' && (await core.sharding.fault(root, { ...answer, problem: 'false' }))) return;
  const now = core.deps.now().getTime();
  const known = core.holders.find(holder) ?? newHolder(holder, root);
  let next: HolderEntry;
  if (outcome === 'proved') next = proved({ ...known, root }, now);
  else if (outcome === 'silent') {
    const { holderLateMs: lateMs, holderLostMs: lostMs } = core.options;
    next = silent(known, now, { lateMs, lostMs });
  } else if (outcome === 'out') next = putOut(known, now);
  else if (await withdraw(core, answer)) next = faulted(core.holders.find(holder) ?? known, now);
  else return;
  await core.holders.set(next);
  tellHolders(core);
  if (next.sweep) sweep.wake();
}

function newHolder(holder: PeerIdText, root: Cid): HolderEntry {
  return { holder, root, state: 'good', faults: [], sweep: false };
}

/** False: no version has that blob, or this holder was taken off it before. The evidence is durable before anything changes. */
async function withdraw(core: StoreCore, answer: HolderAnswer): Promise<boolean> {
  const { holder, root, cid, outcome, sha256 } = answer;
  const why = outcome === 'absent' ? 'absent' : 'false';
  const ref = await findEntry<RefEntry>(core, core.keys.ofCid(KIND.root, root));
  if (ref === undefined) return false;
  const entry = await findEntry<VersionEntry>(core, core.keys.version(ref.recordId, ref.version));
  const isKnown = (entry?.former ?? []).some((former) => former.holder === holder && former.why === why);
  if (entry === undefined || entry.root !== root || isKnown) return false;
  const detail = { cid, holder, problem: why, ...(sha256 !== undefined && { sha256 }) };
  const { recordId, version } = ref;
  const context = systemContext('replicas');
  await core.deps.audit.append({ type: 'replica.fault', outcome: 'failure', context, recordId, version, detail });
  core.metrics.holderFaults.inc({ problem: why });
  core.deps.log.warn({ holder, cid, problem: why }, 'a holder does not have what it said it holds');
  const since = core.deps.now().toISOString();
  await changeVersion(core, ref, (current) =>
    current.root === root ? withoutHolder(core, current, { holder, why, since }) : undefined,
  );
  return true;
}

export function holderStandings(core: StoreCore): HolderStanding[] {
  return core.holders
    .all()
    .slice(0, MAX_SHOWN)
    .map(({ holder, state, provedAt, faults }) => ({
      holder,
      state: state === 'good' && !core.holders.counts(holder) ? 'late' : state,
      ...(provedAt !== undefined && { provedAt: new Date(provedAt).toISOString() }),
      faults: faults.length,
    }));
}

export function tellHolders(core: StoreCore): void {
  core.metrics.holders.reset();
  for (const { state } of holderStandings(core)) core.metrics.holders.inc({ state });
}
