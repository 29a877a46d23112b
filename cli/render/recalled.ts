import type { NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import type { Check } from '../preflight.ts';
import type { Output } from './output.ts';

/** The line of `status` below the audit log, once an epoch of it was declared. */
export function recalledLines({ witness }: Pick<NodeStatus, 'witness'>, style: Output['style']): [string, string][] {
  const recalled = witness?.recalled ?? null;
  if (recalled === null) return [];
  return [['', recalled.answered === 0 ? style('yellow', describeRecalled(recalled)) : describeRecalled(recalled)]];
}

/** Where no member has answered, the chain alone says what is lost. */
export function gradeRecalled({ witness }: Pick<NodeStatus, 'witness'>): Check[] {
  const recalled = witness?.recalled ?? null;
  if (recalled === null) return [];
  const check = { name: 'members asked', value: describeRecalled(recalled) };
  if (recalled.answered > 0) return [{ ...check, grade: 'good' }];
  const advice = 'let members of the network connect: those that cosigned the log know what it had';
  return [{ ...check, grade: 'poor', advice }];
}

type Recalled = NonNullable<NonNullable<NonNullable<NodeStatus['witness']>['recalled']>>;

function describeRecalled({ epoch, answered, silent, newest }: Recalled): string {
  const before = `the log before epoch ${epoch}`;
  if (answered === 0)
    return `no member has told what it knows of ${before} (${silent} asked): what is lost is known from the chain alone`;
  const knew = newest === 0 ? 'none knew a head of it' : `the largest head known had ${newest} leaves`;
  const rest = silent === 0 ? '' : `, ${silent} did not answer`;
  return `${answered} member${answered === 1 ? '' : 's'} told what they know of ${before}: ${knew}${rest}`;
}
