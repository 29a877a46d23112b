import type { RevocationStanding } from '../../appliance/gateway/client-schemas.ts';
import type { NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import type { Check } from '../preflight.ts';
import type { Output } from './output.ts';
import { printable } from './table.ts';

const ENDS_SOON_MS = 86_400_000;
const ADVICE = 'the newest list of that authority: nectar-byon clients revocations FILE';

/** The lines of `status`: only of authorities that gave a list. */
export function revocationLines(
  { clientRevocations }: Pick<NodeStatus, 'clientRevocations'>,
  style: Output['style'],
): [string, string][] {
  return (clientRevocations ?? []).map((one) => [
    'client CRL',
    style(one.state === 'current' ? 'green' : 'red', describeRevocation(one)),
  ]);
}

/** A list that cannot be gone by keeps all clients of its authority out; one that ends within a day is about to. */
export function gradeRevocations({ clientRevocations }: Pick<NodeStatus, 'clientRevocations'>, now: number): Check[] {
  return (clientRevocations ?? []).map((one) => {
    const check = { name: 'client CRL', value: describeRevocation(one) };
    if (one.state !== 'current') return { ...check, grade: 'bad', advice: ADVICE };
    const isEnding = Date.parse(one.nextUpdate ?? '') - now < ENDS_SOON_MS;
    return isEnding ? { ...check, grade: 'poor', advice: ADVICE } : { ...check, grade: 'good' };
  });
}

function describeRevocation({ subject, state, number, nextUpdate, revoked }: RevocationStanding): string {
  const list = number === undefined ? '' : `, number ${number} with ${revoked} certificates, until ${nextUpdate}`;
  const out = state === 'current' ? '' : ': none of its clients is let in';
  return `${printable(subject.replaceAll('\n', ', '))}: ${state}${list}${out}`;
}
