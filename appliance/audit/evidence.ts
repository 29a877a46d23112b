import type { RecordId } from '../../protocol/brand.ts';
import { IDENTIFIER } from '../../protocol/merkle/audit-facts.ts';
import { detailsOf } from './declared-epoch.ts';
import type { AuditInput } from './event.ts';
import type { LoggedFacts } from './logged-facts.ts';
import type { AuditEntry } from './reader.ts';

/** What the log says happened to a record: for the store, which compares it with what it holds. */
export interface RecordEvidence {
  readonly index: number;
  readonly leafHash: string;
  readonly time: string;
  readonly type: string;
  readonly outcome: 'success' | 'failure';
  readonly recordId?: RecordId;
  readonly version?: number;
  /** `detail.cid` of the event. */
  readonly cid?: string;
  /** `detail.destroyedAt` of a deletion. */
  readonly destroyedAt?: string;
}

interface EntityJson {
  readonly what?: { readonly identifier?: { readonly system?: string; readonly value?: string } };
}

/** Reads record, version and CID back out of an entry; without them when its body has been erased. */
export function recordEvidence(entry: AuditEntry): RecordEvidence {
  const { index, leafHash, leaf } = entry;
  const recordId = entitiesOf(entry).find(({ what }) => what?.identifier?.system === IDENTIFIER.record)?.what
    ?.identifier?.value;
  const { version, cid, destroyedAt } = detailOf(entry);
  return {
    index,
    leafHash,
    time: leaf.time,
    type: leaf.type,
    outcome: leaf.outcome,
    ...(recordId === undefined ? {} : { recordId: recordId as RecordId }),
    ...(version === undefined ? {} : { version: Number(version) }),
    ...(cid === undefined ? {} : { cid }),
    ...(destroyedAt === undefined ? {} : { destroyedAt }),
  };
}

/** Type, outcome and details of an event, before it is appended or after it was read back. */
export function eventFacts(of: AuditInput | AuditEntry): LoggedFacts {
  if (!('leaf' in of)) return { type: of.type, outcome: of.outcome, detail: of.detail ?? {} };
  const { type, outcome, time } = of.leaf;
  return { type, outcome, time, detail: detailOf(of) };
}

function entitiesOf({ body }: AuditEntry): readonly EntityJson[] {
  return (body?.entity ?? []) as readonly EntityJson[];
}

function detailOf(entry: AuditEntry): Record<string, string> {
  return Object.fromEntries(detailsOf(entry.body));
}
