import { createHash } from 'node:crypto';
import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ReleaseKeys } from '../../cli/release/release-keys.ts';
import {
  RELEASE_FILES,
  type ReleaseFiles,
  releaseFiles,
  requireArtifact,
  verifyRelease,
} from '../../cli/release/verify-release.ts';
import { NectarError } from '../../protocol/errors.ts';

/** What a build says of itself, for `sign`. */
export const BUILD_FILE = 'build.json';
const BUNDLE = /\.bundle$/;

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** SHA-256 of the artifacts in a folder by name: of all that is neither a signature nor about the build. */
export async function digestArtifacts(folder: string): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  for (const name of readdirSync(folder).toSorted()) {
    if (name === BUILD_FILE || /\.(sha256|sha256\.asc|intoto\.json)$/.test(name)) continue;
    digests.set(name, await sha256OfFile(join(folder, name)));
  }
  return digests;
}

/**
 * Verifies a whole release folder: both signatures of the release and of each bundle, every artifact that they name, and that no file
 * lies there that nobody signed.
 *
 * @returns the names, each verified
 */
export async function verifyFolder(folder: string, keys: ReleaseKeys): Promise<string[]> {
  const digests = await digestArtifacts(folder);
  const bundles = [...digests.keys()].filter((name) => BUNDLE.test(name));
  const verified: string[] = [];
  const verifySet = async (files: ReleaseFiles): Promise<void> => {
    const release = await verifyRelease({ folder, files, path: folder }, keys);
    for (const name of release.subjects.keys()) {
      requireArtifact(release, { name, sha256: digests.get(name) ?? '', path: folder });
      verified.push(name);
    }
  };
  await verifySet(RELEASE_FILES);
  for (const bundle of bundles) await verifySet(releaseFiles(bundle));
  const foreign = [...digests.keys()].find((name) => !verified.includes(name));
  if (foreign !== undefined) throw new NectarError('RELEASE_ARTIFACT_FOREIGN', { path: folder, entry: foreign });
  return verified;
}
