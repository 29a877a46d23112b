import type { HardeningStatus } from '../../appliance/gateway/hardening-schemas.ts';
import type { Check } from '../preflight.ts';
import type { Output } from '../render/output.ts';

/**
 * The line of `status`: what is on record, and whether somebody must look. No score: that of the kindest profile would look like an
 * answer to whether the node may hold patients' data, which the first sentence gives.
 */
export function hardeningLines(hardening: HardeningStatus | null, style: Output['style']): [string, string][] {
  if (hardening === null) return [];
  const { drifted, failed, unseen, overdue, waivedCritical } = hardening;
  const poor = failed > 0 || unseen > 0 || waivedCritical > 0;
  const colour = drifted > 0 || overdue ? 'red' : poor ? 'yellow' : 'green';
  return [['hardening', style(colour, words(hardening))]];
}

/** The check of `doctor`. Drift and a report that does not come are bad; failures that a person has seen are poor. */
export function checkHardening(hardening: HardeningStatus | null): Check {
  const name = 'hardening';
  if (hardening === null) {
    return { name, value: 'no report on record', grade: 'poor', advice: 'nectar-byon harden' };
  }
  const { drifted, failed, unseen, overdue, everySeconds, waivedCritical } = hardening;
  const value = words(hardening);
  if (drifted > 0)
    return { name, value, grade: 'bad', advice: 'nectar-byon harden: something fails that did not before' };
  if (overdue) return { name, value, grade: 'bad', advice: 'nectar-byon harden schedule: why does it not run?' };
  if (failed > 0 || unseen > 0) return { name, value, grade: 'poor', advice: 'nectar-byon harden' };
  if (waivedCritical > 0) return { name, value, grade: 'poor', advice: 'nectar-byon harden waive --list' };
  if (everySeconds === null) return { name, value, grade: 'poor', advice: 'nectar-byon harden schedule --every 24h' };
  return { name, value, grade: 'good' };
}

function words(hardening: HardeningStatus): string {
  const { lastAt, profile, failed, unseen, drifted, overdue, waived, waivedCritical } = hardening;
  if (lastAt === null) return `scheduled, no report yet${overdue ? ': OVERDUE' : ''}`;
  const parts = [
    `last report ${lastAt.slice(0, 16).replace('T', ' ')} UTC (${profile})`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(unseen > 0 ? [`${unseen} not seen`] : []),
    ...(waived > 0 ? [`${waived} waived${waivedCritical > 0 ? ` (${waivedCritical} CRITICAL)` : ''}`] : []),
    ...(drifted > 0 ? [`DRIFT: ${drifted} new`] : []),
    ...(overdue ? ['OVERDUE'] : []),
  ];
  return parts.join(', ');
}
