import type { RecordId } from '../../protocol/brand.ts';
import { detailsOf } from './declared-epoch.ts';
import type { AuditEntry } from './reader.ts';

/** What the log says happened to a record: for the store's scrub, which compares it with what the store holds. */
export interface RecordEvidence {
  readonly index: number;
  readonly type: string;
  readonly outcome: 'success' | 'failure';
  readonly recordId?: RecordId;
  readonly version?: number;
  /** `detail.cid` of the event. */
  readonly cid?: string;
}

interface EntityJson {
  readonly what?: { readonly identifier?: { readonly system?: string; readonly value?: string } };
}

/** Reads record, version and CID back out of an entry; without them when its body has been erased. */
export function recordEvidence({ index, leaf, body }: AuditEntry): RecordEvidence {
  const entities = (body?.entity ?? []) as readonly EntityJson[];
  const recordId = entities.find(({ what }) => what?.identifier?.system === 'urn:nectar:byon:record')?.what?.identifier
    ?.value;
  const details = detailsOf(body);
  const [version, cid] = [details.get('version'), details.get('cid')];
  return {
    index,
    type: leaf.type,
    outcome: leaf.outcome,
    ...(recordId === undefined ? {} : { recordId: recordId as RecordId }),
    ...(version === undefined ? {} : { version: Number(version) }),
    ...(cid === undefined ? {} : { cid }),
  };
}
