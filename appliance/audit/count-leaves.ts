import { TILE_WIDTH } from '../../protocol/merkle/tile.ts';
import { bodyBundlePath, parseBodyBundle } from './body-bundle.ts';
import { createDisk } from './disk.ts';

/** How many leaves the log in a folder has when it is opened; it does not run. Throws AUDIT_BUNDLE_INVALID. */
export async function countLeaves(folder: string): Promise<number> {
  const disk = createDisk(folder);
  let path = 'bodies';
  let bundle = 0;
  // Folders x000/ to x999/, each holding as many more; what is whole sorts before what comes next.
  for (;;) {
    const names = (await disk.list(path)).filter((name) => /^(x\d{3}\/|\d{3})$/.test(name));
    const numberOf = (name: string): number => Number(name.replaceAll(/[x/]/g, ''));
    const folders = names.filter((name) => name.endsWith('/')).toSorted();
    const last = folders.at(-1) ?? names.toSorted().at(-1);
    if (last === undefined) return bundle * TILE_WIDTH;
    bundle = bundle * 1000 + numberOf(last);
    if (!last.endsWith('/')) break;
    path = `${path}/${last.slice(0, -1)}`;
  }
  const bytes = await disk.read(bodyBundlePath(bundle));
  return bytes === undefined ? 0 : bundle * TILE_WIDTH + parseBodyBundle(bytes, bundle).entries.length;
}
