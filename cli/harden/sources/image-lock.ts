import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Type from 'typebox';
import { Check as matches } from 'typebox/value';
import { CONTAINER_ROLES } from '../../provision/docker/role-table.ts';

const MAX_FILE_BYTES = 1024 * 1024;
/** In a clone where `images build` writes it; in the published package beside the bundle. */
const PLACES = ['../../../dist/images/digests.lock.json', './images/digests.lock.json'] as const;

const digest = Type.String({ pattern: '^sha256:[0-9a-f]{64}$' });
const image = Type.Object({ id: digest });
const lockFile = Type.Object({
  version: Type.String({ maxLength: 64 }),
  base: Type.Object({ layers: Type.Array(digest, { minItems: 1, maxItems: 128 }) }),
  roles: Type.Object({ gateway: image, store: image, audit: image, rollup: image }),
});

export interface ImageLock {
  readonly version: string;
  readonly imageIds: Readonly<Record<string, string>>;
  readonly baseLayers: readonly string[];
}

/** The images that this version was built or released with; undefined where no lock came with it. */
export function readImageLock(): ImageLock | undefined {
  const path = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((one) => existsSync(one));
  if (path === undefined) return undefined;
  const text = readFileSync(path, 'utf8');
  const value: unknown = text.length <= MAX_FILE_BYTES ? JSON.parse(text) : undefined;
  if (!matches(lockFile, value)) return undefined;
  return {
    version: value.version,
    imageIds: Object.fromEntries(CONTAINER_ROLES.map((role) => [role, value.roles[role].id])),
    baseLayers: value.base.layers,
  };
}
