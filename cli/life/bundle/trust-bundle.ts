import { NectarError } from '../../../protocol/errors.ts';
import type { ReleaseKeys } from '../../release/release-keys.ts';
import { RELEASE_FILES, requireArtifact, requireNotOlder, verifyRelease } from '../../release/verify-release.ts';
import { VERSION } from '../../version.ts';
import type { UnpackedBundle } from './unpack-bundle.ts';
import { BUNDLE_MANIFEST } from './write-bundle.ts';

interface Trust {
  /** Where the bundle was unpacked to. */
  readonly folder: string;
  /** The bundle's own. */
  readonly path: string;
  /** Undefined: unsigned, because the caller was told so. */
  readonly keys: ReleaseKeys | undefined;
  readonly acceptOlder: boolean;
}

/**
 * Holds every part of an unpacked bundle against the signatures in it: what no trusted key signed is not used, be it changed, of another
 * release, or added.
 *
 * @throws NectarError RELEASE_SIGNATURE_MISSING, RELEASE_SIGNATURE_INVALID, RELEASE_KEY_UNKNOWN, RELEASE_ARTIFACT_FOREIGN, RELEASE_OLDER
 */
export async function requireTrusted(
  { manifest, digests }: UnpackedBundle,
  { folder, path, keys, acceptOlder }: Trust,
): Promise<void> {
  if (keys !== undefined) {
    const release = await verifyRelease({ folder, files: RELEASE_FILES, path }, keys);
    const signatures: readonly string[] = Object.values(RELEASE_FILES);
    for (const [name, sha256] of digests) {
      if (!signatures.includes(name)) requireArtifact(release, { name, sha256, path });
    }
    // The manifest is written after signing: of it only the version counts, and that is the signed one.
    if (manifest.program !== release.version)
      throw new NectarError('RELEASE_ARTIFACT_FOREIGN', { path, entry: BUNDLE_MANIFEST });
  }
  if (!acceptOlder) requireNotOlder(manifest.program, VERSION, path);
}
