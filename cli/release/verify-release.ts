import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { NectarError } from '../../protocol/errors.ts';
import { parseEnvelope, verifyEnvelope } from '../../protocol/release/dsse.ts';
import { parseStatement, type VerifiedStatement } from '../../protocol/release/statement.ts';
import { verifySignature } from '../harden/verify-signature.ts';
import { readSmallFile } from '../life/backup/small-files.ts';
import { compareVersions } from '../life/upgrade/image-set.ts';
import type { ReleaseKeys } from './release-keys.ts';

/** The three files by which a set of artifacts is signed; the artifacts lie beside them. */
export interface ReleaseFiles {
  /** `sha256sum` reads it. */
  readonly list: string;
  /** The detached OpenPGP signature of the list. */
  readonly openpgp: string;
  /** The statement of provenance in its DSSE envelope. */
  readonly provenance: string;
}

export function releaseFiles(of: string): ReleaseFiles {
  return { list: `${of}.sha256`, openpgp: `${of}.sha256.asc`, provenance: `${of}.intoto.json` };
}

/** Of a whole release, and of what a bundle has of it. */
export const RELEASE_FILES = releaseFiles('release');

/** How a release's artifacts are listed for `sha256sum -c`. */
export function encodeDigestList(subjects: ReadonlyMap<string, string>): string {
  return [...subjects].map(([name, sha256]) => `${sha256}  ${name}\n`).join('');
}

/** Where a set of signed artifacts is. */
export interface SignedPlace {
  readonly folder: string;
  readonly files: ReleaseFiles;
  /** What to call it in an error. */
  readonly path: string;
}

/**
 * Verifies what a release says of itself: nothing of it may be used before. Artifacts are held against it by `requireArtifact`.
 *
 * @throws NectarError RELEASE_SIGNATURE_MISSING, RELEASE_SIGNATURE_INVALID, RELEASE_KEY_UNKNOWN
 */
export async function verifyRelease(place: SignedPlace, keys: ReleaseKeys): Promise<VerifiedStatement> {
  const { files, path } = place;
  const envelope = parseEnvelope((await read(place, files.provenance)).toString('utf8'), path);
  const statement = parseStatement(verifyEnvelope(envelope, keys.ed25519, path), path);
  if (keys.openpgp.length > 0) await verifyList(place, statement, keys);
  return statement;
}

/** The second signature, of another kind and key: whoever forges a release has to have both. */
async function verifyList(
  place: SignedPlace,
  { subjects }: VerifiedStatement,
  { openpgp }: ReleaseKeys,
): Promise<void> {
  const { files, path } = place;
  const list = await read(place, files.list);
  const armoured = (await read(place, files.openpgp)).toString('latin1');
  const result = await verifySignature(list, armoured, openpgp);
  if (result.verdict === 'unknown') {
    const key = / ([0-9A-F]{16}),/.exec(result.reason)?.[1] ?? '';
    throw new NectarError('RELEASE_KEY_UNKNOWN', { path, key });
  }
  if (result.verdict !== 'ok') throw new NectarError('RELEASE_SIGNATURE_INVALID', { path, reason: result.reason });
  if (list.toString('latin1') !== encodeDigestList(subjects))
    throw new NectarError('RELEASE_SIGNATURE_INVALID', { path, reason: 'its two signatures are of different lists' });
}

/** @throws NectarError RELEASE_ARTIFACT_FOREIGN */
export function requireArtifact(
  { subjects }: VerifiedStatement,
  { name, sha256, path }: { readonly name: string; readonly sha256: string; readonly path: string },
): void {
  if (subjects.get(name) !== sha256) throw new NectarError('RELEASE_ARTIFACT_FOREIGN', { path, entry: name });
}

/** Holds a file, by the bytes that were read of it, against the release in its folder. @throws NectarError as `verifyRelease`, RELEASE_ARTIFACT_FOREIGN */
export async function requireSignedFile(file: string, bytes: Uint8Array, keys: ReleaseKeys): Promise<void> {
  const release = await verifyRelease({ folder: dirname(file), files: RELEASE_FILES, path: file }, keys);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  requireArtifact(release, { name: basename(file), sha256, path: file });
}

/** An attacker who has no key can still offer an old release, with the faults of its time. @throws NectarError RELEASE_OLDER */
export function requireNotOlder(release: string, running: string, path: string): void {
  if (compareVersions(release, running) < 0) throw new NectarError('RELEASE_OLDER', { path, release, running });
}

async function read({ folder, path }: SignedPlace, file: string): Promise<Buffer> {
  const bytes = await readSmallFile(join(folder, file));
  if (bytes === undefined) throw new NectarError('RELEASE_SIGNATURE_MISSING', { path, file });
  return Buffer.from(bytes);
}
