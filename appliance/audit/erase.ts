import { parseAuditLeaf } from '../../protocol/merkle/audit-leaf.ts';
import { TILE_WIDTH } from '../../protocol/merkle/tile.ts';
import { bodyBundlePath, encodeGroup } from './body-bundle.ts';
import { type Disk, writeError } from './disk.ts';
import { isDeclaration } from './freshness.ts';
import type { Log } from './log.ts';

/**
 * Erases the bodies of every full bundle whose leaves are all older than `before`. Leaves and tiles stay, so every proof stays
 * valid; what is gone is who, which record and from where. What was declared of the log itself names nobody, and stays. Returns
 * the number of bodies erased, and of bundles, from the first on, that have no bodies any more.
 */
export async function eraseBodies(disk: Disk, log: Log, before: Date): Promise<{ erased: number; bundles: number }> {
  let erased = 0;
  const full = Math.floor(log.size() / TILE_WIDTH);
  let bundle = 0;
  for (; bundle < full; bundle++) {
    const entries = await log.readBundle(bundle);
    if (entries.some(({ leaf }) => new Date(parseAuditLeaf(leaf).time) >= before)) break;
    const erasable = entries.map(
      ({ leaf, sealed }) => sealed !== undefined && !isDeclaration(parseAuditLeaf(leaf).type),
    );
    const bodies = erasable.filter(Boolean).length;
    if (bodies === 0) continue;
    const path = bodyBundlePath(bundle);
    try {
      const bytes = encodeGroup(
        bundle * TILE_WIDTH,
        entries.map(({ leaf, sealed }, i) => ({ leaf, sealed: erasable[i] === true ? undefined : sealed })),
      );
      await disk.replace([{ path, bytes }]);
    } catch (error) {
      throw writeError(error, path);
    }
    erased += bodies;
  }
  return { erased, bundles: bundle };
}
