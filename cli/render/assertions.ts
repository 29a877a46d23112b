import type { NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import type { Check } from '../preflight.ts';
import type { Output } from './output.ts';

type Shown = NonNullable<NodeStatus['assertions']>;

const CHALLENGE_ADVICE = 'docs/runbook.md, "A challenge waits for this node"';
export const FALSE_ASSERTION_ADVICE = 'docs/runbook.md, "A false assertion on L1"';

/** Lines of `status`: quiet while all is well. */
export function assertionLines(assertions: NodeStatus['assertions'], style: Output['style']): [string, string][] {
  if (assertions === undefined || assertions === null || assertions.state === 'unseen') return [];
  const { confirmedBlock, confirmedBatch, pending, mode, waiting } = assertions;
  const upTo = confirmedBlock === null ? `batch ${confirmedBatch ?? 0}` : `L2 block ${confirmedBlock}`;
  const doing = mode === 'asserting' ? ', this node asserts' : '';
  const why = waiting === undefined || mode === 'watching' ? '' : ` (${waiting})`;
  const lines: [string, string][] = [['assertions', `confirmed up to ${upTo}, ${pending} pending${doing}${why}`]];
  const challenges = (assertions.challenges ?? []).filter((one) => one.onL1 !== 'closed');
  if (challenges.length > 0) lines.push(['challenges', `${challenges.length}; see nectar-byon dispute list`]);
  const urgent = challenges.filter((one) => one.urgent);
  return [
    ...lines,
    ...assertions.false.map((one): [string, string] => ['', style('red', describeFalse(one))]),
    ...urgent.map((one): [string, string] => ['', style('red', describeUrgent(one))]),
  ];
}

/** What is left of a clock, in words. */
export function leftOnClock(seconds: number): string {
  if (seconds <= 0) return 'its clock is out';
  const hours = Math.floor(seconds / 3_600);
  return hours > 0 ? `${hours} h left` : `${Math.ceil(seconds / 60)} min left`;
}

function describeUrgent({ id, round, leftSeconds, waiting }: NonNullable<Shown['challenges']>[number]): string {
  const why = waiting === undefined ? '' : `: ${waiting}`;
  return `CHALLENGE ${id.slice(0, 12)} waits for this node in round ${round}, ${leftOnClock(leftSeconds ?? 0)}${why}`;
}

function describeFalse({ nodeId, status, batch, stake, asserted, derived }: Shown['false'][number]): string {
  const what = status === 'confirmed' ? 'FALSE, AND CONFIRMED' : 'FALSE';
  const own = derived === undefined ? '' : `, this node derived ${derived.blockHash} (block ${derived.block})`;
  return `${what}: assertion ${nodeId} of stake ${stake} says ${asserted.blockHash} before batch ${batch}${own}`;
}

/** A false assertion is nobody's honest mistake; once it is confirmed, ETH may leave by it. */
export function gradeAssertions({ assertions }: NodeStatus): Check[] {
  if (assertions === undefined || assertions === null || assertions.state === 'unseen') return [];
  const { state, false: found, confirmedBlock, pending, challenges = [] } = assertions;
  const urgent = challenges.filter((one) => one.urgent);
  const clocks: Check[] = urgent.map((one) => ({
    name: 'challenge',
    value: describeUrgent(one),
    grade: 'bad',
    advice: CHALLENGE_ADVICE,
  }));
  if (state === 'sound') {
    const upTo = confirmedBlock === null ? '' : `, confirmed up to L2 block ${confirmedBlock}`;
    return [{ name: 'assertions', value: `${pending} pending, none false${upTo}`, grade: 'good' }, ...clocks];
  }
  const value = found.map(describeFalse).join('; ');
  return [{ name: 'assertions', value, grade: 'bad', advice: FALSE_ASSERTION_ADVICE }, ...clocks];
}
