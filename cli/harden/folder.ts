import { join } from 'node:path';
import { makeFolders } from '../../appliance/make-folders.ts';

/** HOME/hardening: what the command line keeps of reports. The node itself never reads it. */
export function hardeningPath(home: string, ...parts: string[]): string {
  return join(home, 'hardening', ...parts);
}

export async function makeHardeningFolder(home: string, ...parts: string[]): Promise<void> {
  await makeFolders(hardeningPath(home, ...parts), 0o700);
}
