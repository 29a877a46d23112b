import { readFileSync } from 'node:fs';
import type { RoleBundle } from './bundle-role.ts';
import type { NpmPackage } from './npm-packages.ts';
import { type ImageRole, mountPoints } from './role-specs.ts';
import type { TarEntry } from './tar.ts';

const LICENCE = new URL('../LICENSE', import.meta.url);

export interface RoleLayerInputs {
  readonly role: ImageRole;
  readonly bundle: RoleBundle;
  readonly packages: readonly NpmPackage[];
  readonly sbom: Uint8Array;
}

/** What a role adds to the base: its bundle, its mount points, its bill of materials, the licences of what is in the bundle. */
export function roleEntries({ role, bundle, packages, sbom }: RoleLayerInputs): TarEntry[] {
  const file = (path: string, content: Uint8Array): TarEntry => ({ kind: 'file', path, mode: 0o644, content });
  return [
    ...[...bundle.files].map(([path, content]) => file(`app/${path}`, content)),
    ...mountPoints(role),
    file(`sbom/nectar-byon-${role}.cdx.json`, sbom),
    file('licenses/nectar-byon/LICENSE', readFileSync(LICENCE)),
    ...packages.flatMap((item) =>
      [...licenceTexts(item)].map(([name, text]) => file(`licenses/npm/${item.name}@${item.version}/${name}`, text)),
    ),
  ];
}

function licenceTexts({ name, version, licence, homepage, licenceFiles }: NpmPackage): ReadonlyMap<string, Uint8Array> {
  if (licenceFiles.size > 0) return licenceFiles;
  const words = [
    `${name} ${version} states in its package.json: ${licence}`,
    'The package carries no licence text of its own; the texts of common licences are in /licenses/common.',
    ...(homepage === undefined ? [] : [`Source: ${homepage}`]),
  ];
  return new Map([['LICENSE', Buffer.from(`${words.join('\n')}\n`)]]);
}
