import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
    const kept = new Set(content.keys());
    for (const name of filesUnder(target)) if (!kept.has(name)) rmSync(join(target, name));
    for (const [name, bytes] of content) writeFile(join(target, name), bytes);
  }
}

/**
 * Puts a whole file in place, or leaves the one that has the same bytes. Builds are reproducible, and two of them run at once (the
 * container tests make sure of their images, each file for itself): who reads meanwhile reads a whole file.
 */
export function writeFile(path: string, content: Uint8Array | string): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  if (readIfThere(path)?.equals(bytes)) return;
  mkdirSync(dirname(path), { recursive: true });
  const staged = `${path}.${process.pid}.new`;
  try {
    writeFileSync(staged, bytes);
    renameSync(staged, path);
  } finally {
    rmSync(staged, { force: true });
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Names of all files below a folder, relative to it; none where there is no folder. */
function filesUnder(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  } catch {
    return [];
  }
}
