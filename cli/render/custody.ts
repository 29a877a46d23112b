import type { NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import type { Check } from '../preflight.ts';
import type { Output } from './output.ts';
import { formatBytes } from './quantities.ts';

const FULL_SHARE = 0.9;
const OLD_MS = 7 * 86_400_000;

type Custody = NonNullable<NodeStatus['custody']>;

/** The line of `status` at a node that keeps backup repositories of others. */
export function custodyLines({ custody }: Pick<NodeStatus, 'custody'>, style: Output['style']): [string, string][] {
  if (isIdle(custody)) return [];
  return [['custody', isFilling(custody) ? style('yellow', describeCustody(custody)) : describeCustody(custody)]];
}

/** Its owner sees the same as a backup that does not come; whoever keeps it can tell him. */
export function gradeCustody({ custody }: Pick<NodeStatus, 'custody'>, now: number): Check[] {
  if (isIdle(custody)) return [];
  const check = { name: 'custody', value: describeCustody(custody) };
  if (isFilling(custody))
    return [{ ...check, grade: 'poor', advice: 'let its owner prune, or raise custody.maxBytesPerRepository' }];
  if (custody.oldestAt !== null && now - Date.parse(custody.oldestAt) > OLD_MS)
    return [{ ...check, grade: 'poor', advice: 'tell the owner that no copy comes: nectar-byon custody list' }];
  return [{ ...check, grade: 'good' }];
}

function isIdle(custody: NodeStatus['custody']): custody is null | undefined {
  return custody === null || custody === undefined || (custody.repositories === 0 && custody.refused === 0);
}

function isFilling({ fullestBytes, quotaBytes }: Custody): boolean {
  return fullestBytes > FULL_SHARE * quotaBytes;
}

function describeCustody({ repositories, bytes, fullestBytes, quotaBytes, oldestAt, refused }: Custody): string {
  const share = quotaBytes === 0 ? 100 : Math.round((100 * fullestBytes) / quotaBytes);
  return [
    `${repositories === 1 ? '1 repository' : `${repositories} repositories`} of other nodes, ${formatBytes(bytes)}`,
    ...(repositories === 0 ? [] : [`the fullest at ${share} % of its quota`]),
    ...(oldestAt === null ? [] : [`the oldest of their newest copies ${oldestAt}`]),
    ...(refused === 0 ? [] : [`${refused} refused since the start`]),
  ].join(', ');
}
