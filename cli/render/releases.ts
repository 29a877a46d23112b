import type { NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import { formatDuration } from './quantities.ts';

type Releases = NonNullable<NonNullable<NodeStatus['storage']>['releases']>;

/** One line: copies of destroyed blobs that members have not signed to be gone; undefined where there are none. */
export function describeReleases(releases: Releases | undefined): string | undefined {
  if (releases === undefined || releases.pending === 0) return undefined;
  const { pending, oldestMs } = releases;
  const what = pending === 1 ? '1 copy of a destroyed blob has' : `${pending} copies of destroyed blobs have`;
  return `${what} no receipt of the holder yet${oldestMs === undefined ? '' : `, the oldest for ${formatDuration(oldestMs)}`}`;
}
