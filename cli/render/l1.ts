import type { NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import { guidanceOf } from '../errors/guidance-of.ts';
import type { Check } from '../preflight.ts';
import type { Output } from './output.ts';
import { printable } from './table.ts';

type Shown = NonNullable<NodeStatus['l1']>;
type Endpoint = Shown['endpoints'][number];

/** Lines of `status`: where L1 is read from, and each endpoint that is not as it should be. */
export function l1Lines(l1: NodeStatus['l1'], style: Output['style']): [string, string][] {
  if (l1 === undefined || l1 === null) return [];
  const lines: [string, string][] = [['L1', describeReading(l1)]];
  for (const endpoint of faultyOf(l1)) {
    const colour = endpoint.standing === 'disagrees' ? 'red' : 'yellow';
    lines.push(['', style(colour, describeEndpoint(endpoint))]);
  }
  if (l1.disagreement !== undefined) lines.push(['', style('red', printable(l1.disagreement))]);
  if (l1.waiting !== undefined) lines.push(['', style('yellow', printable(l1.waiting))]);
  return lines;
}

/** A contradiction is bad although the node goes on with the others: somebody is of another chain, or lies. */
export function gradeL1({ l1 }: NodeStatus): Check[] {
  if (l1 === undefined || l1 === null) return [];
  const { disagreement, waiting } = l1;
  const faulty = faultyOf(l1);
  const value = [describeReading(l1), ...faulty.map(describeEndpoint), disagreement, waiting]
    .flatMap((part) => (part === undefined ? [] : [printable(part)]))
    .join('; ');
  if (disagreement !== undefined || faulty.some(({ standing }) => standing === 'disagrees'))
    return [{ name: 'L1', value, grade: 'bad', advice: guidanceOf('ROLLUP_L1_ENDPOINTS_DISAGREE').remedy }];
  if (waiting !== undefined)
    return [{ name: 'L1', value, grade: 'bad', advice: guidanceOf('ROLLUP_L1_BLOBS_UNREADABLE').remedy }];
  if (faulty.length === 0) return [{ name: 'L1', value, grade: 'good' }];
  return [
    { name: 'L1', value, grade: 'poor', advice: 'the others serve meanwhile: look at that endpoint, or replace it' },
  ];
}

function describeReading({ block, endpoints }: Shown): string {
  const read = block === null ? 'no block derived yet' : `derived up to L1 block ${block}`;
  const [only, second] = endpoints;
  if (only === undefined) return read;
  if (second === undefined) return `${read}, from ${printable(only.url)} alone`;
  const good = endpoints.filter(({ standing }) => standing === 'good').length;
  const isNew = endpoints.every(({ standing }) => standing === 'uncompared');
  return `${read}; ${isNew ? `${endpoints.length} endpoints, not compared yet` : `${good} of ${endpoints.length} endpoints good`}`;
}

/** With one endpoint there is no standing: the node is not ready when it is silent. */
function faultyOf({ endpoints }: Shown): readonly Endpoint[] {
  return endpoints.filter(({ standing }) => standing !== 'good' && standing !== 'uncompared');
}

function describeEndpoint({ url, standing, lag, problem }: Endpoint): string {
  const at = printable(url);
  if (standing === 'disagrees') return `${at} contradicts L1 blocks that were verified: it is not asked`;
  if (standing === 'lagging') return `${at} is ${lag ?? 'some'} blocks behind`;
  return `${at} does not answer${problem === undefined ? '' : ` (${printable(problem)})`}`;
}
