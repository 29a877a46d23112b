import { readFileSync } from 'node:fs';
import { readBaseLock } from '../../images/base-lock.ts';
import { npmPurl } from '../../images/sbom.ts';
import type { Material } from '../../protocol/release/statement.ts';

interface Entry {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
}

/**
 * What a release is built from beside its source: each npm package of the lockfile, build tools too, and the Debian packages of the
 * images, by the digests that the build takes them by.
 */
export function readMaterials(): Material[] {
  const path = new URL('../../package-lock.json', import.meta.url);
  const lock = JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, Entry> };
  return [...npmMaterials(lock.packages), ...debianMaterials()];
}

function npmMaterials(packages: Readonly<Record<string, Entry>>): Material[] {
  const found = new Map<string, Material>();
  for (const [path, { version, integrity, link }] of Object.entries(packages)) {
    if (path === '' || link === true) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const sha512 = /^sha512-(\S+)$/.exec(integrity ?? '')?.[1];
    if (version === undefined || sha512 === undefined) throw new Error(`package-lock.json has no SHA-512 of ${path}`);
    const uri = npmPurl({ name, version });
    found.set(uri, { uri, digest: { sha512: Buffer.from(sha512, 'base64').toString('hex') } });
  }
  return [...found.values()];
}

function debianMaterials(): Material[] {
  const found = new Map<string, Material>();
  for (const { debian } of Object.values(readBaseLock())) {
    for (const { name, version, architecture, sha256 } of debian.packages) {
      const [escaped, of] = [encodeURIComponent(name), encodeURIComponent(version)];
      const uri = `pkg:deb/debian/${escaped}@${of}?arch=${architecture}&distro=${debian.release}`;
      found.set(uri, { uri, digest: { sha256 } });
    }
  }
  return [...found.values()];
}
