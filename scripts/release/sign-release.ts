import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { writeBundle } from '../../cli/life/bundle/write-bundle.ts';
import { RELEASE_FILES, releaseFiles } from '../../cli/release/verify-release.ts';
import type { Provenance } from '../../protocol/release/statement.ts';
import type { BuildRecord } from './build-release.ts';
import { readMaterials } from './materials.ts';
import { type SigningKeys, signFiles } from './sign-files.ts';
import { BUILD_FILE, digestArtifacts, sha256OfFile } from './verify-folder.ts';

const ARCHIVE = /^nectar-byon-.+-linux-(amd64|arm64)\.tar$/;

/**
 * Signs what the build recorded, and nothing that is different by now; then writes an offline bundle for each processor, which has
 * these signatures in it, and signs the bundle as a file.
 *
 * @returns the names of the bundles
 */
export async function signRelease(folder: string, keys: SigningKeys): Promise<string[]> {
  const record = JSON.parse(readFileSync(join(folder, BUILD_FILE), 'utf8')) as BuildRecord;
  const built = new Map(Object.entries(record.subjects));
  requireSame(built, await digestArtifacts(folder));
  const provenance: Provenance = { ...record, subjects: built, materials: readMaterials() };
  await signFiles(provenance, { folder, files: RELEASE_FILES, keys });
  const bundles: string[] = [];
  for (const name of built.keys()) {
    const architecture = ARCHIVE.exec(name)?.[1];
    if (architecture === undefined || !built.has(`${name}.gz`)) continue;
    const bundle = `nectar-byon-${record.version}-linux-${architecture}.bundle`;
    const parts = [...Object.values(RELEASE_FILES), 'digests.lock.json', 'install.sh', `${name}.gz`, name];
    const manifest = {
      format: 'nectar-byon-bundle',
      version: 1,
      program: record.version,
      architecture,
      createdAt: record.finishedOn,
    } as const;
    const content = writeBundle(
      parts.map((part) => ({ name: part, path: join(folder, part) })),
      manifest,
    );
    await pipeline(content, createWriteStream(join(folder, bundle)));
    const subjects = new Map([[bundle, await sha256OfFile(join(folder, bundle))]]);
    await signFiles({ ...provenance, subjects }, { folder, files: releaseFiles(bundle), keys });
    bundles.push(bundle);
  }
  return bundles;
}

function requireSame(built: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): void {
  const own = [...found.keys()].filter((name) => !name.endsWith('.bundle'));
  for (const name of new Set([...built.keys(), ...own])) {
    if (built.get(name) !== found.get(name)) throw new Error(`${name} is not as it was built`);
  }
}
