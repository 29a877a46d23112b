import type { RootHash } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { AuditLeaf } from '../../protocol/merkle/audit-leaf.ts';
import { parseOrigin } from '../../protocol/merkle/epoch.ts';
import type { AuditEventJson } from './balp.ts';
import type { AccessContext, AuditInput } from './event.ts';

/** A tree head that somebody outside knows. */
export interface KnownHead {
  readonly size: number;
  readonly root: RootHash;
  /** Who knows it. */
  readonly where: string;
}

/** A successor epoch as the log itself declares it, in its `audit.epoch` leaf and the `audit.gap` leaves that complete it. */
export interface DeclaredEpoch {
  readonly number: number;
  /** Index of the `audit.epoch` leaf. */
  readonly start: number;
  readonly origin: string;
  /** When it was declared (milliseconds): heads that left the machine earlier may be of the lost stretch, later ones may not. */
  readonly at: number;
  readonly cause: 'restore' | 'resolve';
  /** The log holds the first `from` leaves of what was before; what is missing begins here. */
  readonly from: number;
  /** The largest head known outside that the log does not hold; undefined when none is known. */
  readonly outside?: KnownHead;
  /** Leaves known outside that are lost; undefined as long as nobody outside was asked. */
  readonly lost?: number;
}

export const EPOCH_LEAF = 'audit.epoch';
export const GAP_LEAF = 'audit.gap';
/** Stands in the place of a lost leaf, so that no number ever means two entries. */
export const LOST_LEAF = 'audit.lost';

/** Declared by the service itself: an epoch's leaf names no person, so that it can be shown to anybody. */
export const AUDIT_CONTEXT: AccessContext = { actor: { subject: 'system:audit' }, requestId: 'audit' };

/** The event that begins an epoch. @param previous origin of the epoch before it, with the root of its first `start` leaves */
export function epochEvent(epoch: DeclaredEpoch, previous: { origin: string; root: RootHash }): AuditInput {
  const { number, start, origin, cause, from } = epoch;
  const detail = { epoch: number, origin, previous: previous.origin, size: start, root: previous.root, cause, from };
  return {
    type: EPOCH_LEAF,
    outcome: 'success',
    context: AUDIT_CONTEXT,
    detail: { ...detail, ...gapDetail(epoch) },
  };
}

/** The event that completes an epoch's gap, once more is known outside. */
export function gapEvent(epoch: DeclaredEpoch): AuditInput {
  const { number, from } = epoch;
  return {
    type: GAP_LEAF,
    outcome: 'success',
    context: AUDIT_CONTEXT,
    detail: { epoch: number, from, ...gapDetail(epoch) },
  };
}

function gapDetail({ outside, lost }: DeclaredEpoch): Record<string, string | number> {
  return {
    ...(lost === undefined ? {} : { lost }),
    ...(outside === undefined
      ? {}
      : { outsideSize: outside.size, outsideRoot: outside.root, outsideWhere: outside.where }),
  };
}

/** Reads what an entry declares into the list; entries of other types change nothing. Throws AUDIT_BODY_INVALID. */
export function foldDeclared(
  declared: readonly DeclaredEpoch[],
  entry: { readonly index: number; readonly leaf: AuditLeaf; readonly body?: AuditEventJson | undefined },
): readonly DeclaredEpoch[] {
  const { index, leaf } = entry;
  if (leaf.type !== EPOCH_LEAF && leaf.type !== GAP_LEAF) return declared;
  const detail = detailsOf(entry.body);
  const refuse = (): never => {
    throw new NectarError('AUDIT_BODY_INVALID', { index, reason: 'it does not declare an epoch' });
  };
  const gap = parseGap(detail);
  const from = parseCount(detail.get('from')) ?? refuse();
  if (leaf.type === GAP_LEAF) {
    const number = parseCount(detail.get('epoch'));
    if (!declared.some((epoch) => epoch.number === number)) return refuse();
    return declared.map((epoch) => (epoch.number === number ? { ...epoch, ...gap } : epoch));
  }
  const origin = detail.get('origin') ?? refuse();
  const { number, start } = parseOrigin(origin);
  const cause = detail.get('cause') === 'restore' ? 'restore' : 'resolve';
  if (start !== index || number < 2) refuse();
  return [...declared, { number, start, origin, at: Date.parse(leaf.time), cause, from, ...gap }];
}

/** The details of an event, read back out of its FHIR form. */
export function detailsOf(body: AuditEventJson | undefined): ReadonlyMap<string, string> {
  const entities = (body?.entity ?? []) as readonly { detail?: readonly { type: string; valueString: string }[] }[];
  return new Map(entities.flatMap(({ detail }) => detail ?? []).map(({ type, valueString }) => [type, valueString]));
}

function parseGap(detail: ReadonlyMap<string, string>): Pick<DeclaredEpoch, 'outside' | 'lost'> {
  const size = parseCount(detail.get('outsideSize'));
  const root = detail.get('outsideRoot') as RootHash | undefined;
  const lost = parseCount(detail.get('lost'));
  return {
    ...(lost !== undefined && { lost }),
    ...(size !== undefined &&
      root !== undefined && { outside: { size, root, where: detail.get('outsideWhere') ?? 'somebody' } }),
  };
}

function parseCount(text: string | undefined): number | undefined {
  return text !== undefined && /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : undefined;
}
