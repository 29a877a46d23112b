import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBaseImage } from './base-image.ts';
import { DEB_CACHE, nodeBinaryPath } from './base-layer.ts';
import { type Architecture, type BaseInputs, readBaseLock, writeBaseLock } from './base-lock.ts';
import { fetchNewestDeb, sha256 } from './debian.ts';
import { nodePackageFolder } from './node-package.ts';

/** The loader and C library; C++ and unwinding; their copyright; roots; os-release and the texts of common licences. */
const PACKAGES = ['base-files', 'ca-certificates', 'gcc-12-base', 'libc6', 'libgcc-s1', 'libstdc++6'];
const DAY_S = 86_400;

/** Takes the versions that Debian's archive and package-lock.json give now, and writes them and the base's digests down. */
export function updateBaseLock(architecture: Architecture, now: number): BaseInputs {
  const packages = PACKAGES.map((name) => fetchNewestDeb(name, architecture, DEB_CACHE));
  const manifest = join(nodePackageFolder(architecture), 'package.json');
  const chosen = {
    epoch: Math.floor(now / 1000 / DAY_S) * DAY_S,
    node: {
      version: (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version,
      sha256: sha256(readFileSync(nodeBinaryPath(architecture))),
    },
    debian: { release: 'bookworm', packages },
  };
  const draft: BaseInputs = { ...chosen, digests: { layer: '', image: '' } };
  const image = createBaseImage(architecture, draft);
  const inputs = { ...chosen, digests: { layer: image.layers[0]?.digest ?? '', image: image.id } };
  writeBaseLock({ ...readBaseLock(), [architecture]: inputs });
  return inputs;
}
