import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RoleBundle } from './bundle-role.ts';
import type { ImageRole } from './role-specs.ts';

/** Writes DIST/roles/ROLE/ (what runs) and DIST/maps/ROLE/ (what explains it), and removes what an earlier bundle left there. */
export function writeBundle(dist: string, role: ImageRole, { files, maps }: Pick<RoleBundle, 'files' | 'maps'>): void {
  for (const [folder, content] of [
    ['roles', files],
    ['maps', maps],
  ] as const) {
    const target = join(dist, folder, role);
    rmSync(target, { recursive: true, force: true });
    for (const [name, bytes] of content) writeFile(join(target, name), bytes);
  }
}

export function writeFile(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
