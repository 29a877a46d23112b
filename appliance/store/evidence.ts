import { findEntry, type StoreCore } from './core.ts';
import type { HeadEntry, VersionEntry } from './entries.ts';
import { inGroups } from './in-groups.ts';
import type { ScrubFinding } from './interfaces.ts';
import type { EvidenceEvent } from './needs.ts';

/** Leaves compared together: their reads of the index are one look. */
const GROUP = 128;

type Report = (finding: ScrubFinding) => void;

/**
 * Compares the index with what the audit log says was created and destroyed. An AEAD cannot tell an old index from a new
 * one; the log, which others have seen, can. A leaf that no version names is an attempted put (a crash before the commit,
 * and no receipt), or a version that was rolled back: receipts tell which. Resolves with the leaves compared.
 */
export async function compareEvidence(core: StoreCore, report: Report, signal: AbortSignal): Promise<number> {
  const { evidence } = core.deps;
  const open = new Map<string, ScrubFinding>();
  let leaves = 0;
  for await (const events of inGroups(evidence.records(0, signal), GROUP)) {
    leaves += events.length;
    const findings = await Promise.all(events.map((event) => contradiction(core, event)));
    // In the order of the log: a later failure takes back what an earlier leaf said.
    for (const [i, event] of events.entries()) {
      const attempt = `${event.recordId}/${event.version}/${event.cid}`;
      const finding = findings[i];
      if (event.outcome === 'failure') open.delete(attempt);
      else if (finding !== undefined) open.set(attempt, finding);
    }
  }
  for (const finding of open.values()) report(finding);
  return leaves;
}

async function contradiction(core: StoreCore, event: EvidenceEvent): Promise<ScrubFinding | undefined> {
  const { type, outcome, recordId, index } = event;
  if (outcome !== 'success' || recordId === undefined) return undefined;
  const version = event.version ?? 0;
  const finding: ScrubFinding = { code: 'STORE_RECORD_UNACCOUNTED', recordId, version, auditLeaf: index };
  const head = await findEntry<HeadEntry>(core, core.keys.head(recordId)).catch(() => undefined);
  if (type === 'record.delete') return head?.shredded === undefined ? finding : undefined;
  if (type !== 'record.create' && type !== 'record.update' && type !== 'record.rekey') return undefined;
  if (head?.shredded !== undefined) return undefined;
  const entry = await findEntry<VersionEntry>(core, core.keys.version(recordId, version)).catch(() => undefined);
  return entry !== undefined && accounts(entry, event) ? undefined : finding;
}

/** Sealed anew, a version names the leaf of that beside its own, and the CID that it had first. */
function accounts({ auditLeaf, root, rekeyed }: VersionEntry, { type, index, cid }: EvidenceEvent): boolean {
  if (type !== 'record.rekey') return auditLeaf === index && (rekeyed?.cid ?? root) === cid;
  if (rekeyed === undefined) return false;
  return rekeyed.leaf > index || (rekeyed.leaf === index && root === cid);
}
