import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** HOME/hardening: what the command line keeps of reports. The node itself never reads it. */
export function hardeningPath(home: string, ...parts: string[]): string {
  return join(home, 'hardening', ...parts);
}

export async function makeHardeningFolder(home: string, ...parts: string[]): Promise<void> {
  await mkdir(hardeningPath(home, ...parts), { recursive: true, mode: 0o700 });
}
