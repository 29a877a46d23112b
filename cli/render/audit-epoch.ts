import type { AuditEpoch } from '../../appliance/gateway/audit-schemas.ts';
import { printable } from './table.ts';

/** One declared epoch of the log, in a line. */
export function describeEpoch({ number, start, at, cause, lost, outside }: AuditEpoch): string {
  const day = new Date(at).toISOString();
  const by = cause === 'restore' ? 'a restore' : '`audit resolve`';
  return `epoch ${number} since leaf ${start}, by ${by} on ${day}: ${cause === 'resolve' && lost !== undefined ? 'up to ' : ''}${describeLoss(lost, outside?.where)}`;
}

function describeLoss(lost: number | undefined, where: string | undefined): string {
  if (lost === undefined) return 'what is lost is not known yet';
  if (lost === 0) return 'nothing that is known outside is lost';
  return `${lost} leaves lost, by ${printable(where ?? 'somebody outside')}`;
}

/** All of them, in few words: `2 declared gaps of 132 leaves`. */
export function describeGaps(epochs: readonly AuditEpoch[]): string | undefined {
  if (epochs.length === 0) return undefined;
  const lost = epochs.reduce((sum, epoch) => sum + (epoch.lost ?? 0), 0);
  const unknown = epochs.some((epoch) => epoch.lost === undefined) ? ', one not known yet' : '';
  return `epoch ${epochs.at(-1)?.number}, ${epochs.length} declared gap${epochs.length === 1 ? '' : 's'} of ${lost} leaves${unknown}`;
}
