import { execFileSync } from 'node:child_process';
import { copyFileSync, createWriteStream, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGzip } from 'node:zlib';
import { pack as createPack } from 'tar-stream';
import { VERSION } from '../../cli/version.ts';
import { ARCHITECTURES, hostArchitecture } from '../../images/base-lock.ts';
import { writeFile } from '../../images/bundle-folder.ts';
import type { Material } from '../../protocol/release/statement.ts';
import { BUILD_FILE, digestArtifacts } from './verify-folder.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DIST = join(ROOT, 'dist');
const CHART = join(ROOT, 'charts', 'nectar-byon');

/** What `sign` takes from the build; it may run on another machine, where the keys are. */
export interface BuildRecord {
  readonly version: string;
  readonly source: Material;
  readonly builder: string;
  readonly platform: Readonly<Record<string, string>>;
  readonly startedOn: string;
  readonly finishedOn: string;
  readonly subjects: Readonly<Record<string, string>>;
}

export interface BuildRequest {
  readonly folder: string;
  /** URI of the repository. */
  readonly source: string;
  /** URI of who builds. */
  readonly builder: string;
}

/**
 * Builds every artifact of a release into an empty folder, from a clean tree: npm package, program with its Node, images, chart, SBOM, VEX,
 * installer. Each is the same for the same commit; the record of the build is not.
 */
export async function buildRelease({ folder, source, builder }: BuildRequest): Promise<BuildRecord> {
  const startedOn = new Date().toISOString();
  const commit = cleanCommit();
  for (const args of [['bundle'], ['images', '--', 'build', '--no-load'], ['program']])
    run('npm', ['run', '--silent', ...args]);
  for (const architecture of FOREIGN) run('npm', ['run', '--silent', 'images', '--', 'build', '--arch', architecture]);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder]);
  await packChart(join(folder, `nectar-byon-chart-${VERSION}.tgz`));
  for (const [from, wanted] of COPIED) {
    for (const name of readdirSync(join(DIST, from)).filter((found) => wanted.test(found)))
      copyFileSync(join(DIST, from, name), join(folder, name));
  }
  copyFileSync(join(ROOT, 'images', 'nectar-byon.openvex.json'), join(folder, 'nectar-byon.openvex.json'));
  for (const architecture of FOREIGN)
    copyFileSync(
      join(DIST, architecture, 'images', 'digests.lock.json'),
      join(folder, `digests-linux-${architecture}.lock.json`),
    );
  const record: BuildRecord = {
    version: VERSION,
    source: { uri: source, digest: { gitCommit: commit } },
    builder,
    platform: { node: process.version, system: `${process.platform}-${process.arch}` },
    startedOn,
    finishedOn: new Date().toISOString(),
    subjects: Object.fromEntries(await digestArtifacts(folder)),
  };
  writeFile(join(folder, BUILD_FILE), `${JSON.stringify(record, undefined, 2)}\n`);
  return record;
}

const OF_VERSION = VERSION.replaceAll('.', '\\.');
const IMAGES = new RegExp(`^nectar-byon-${OF_VERSION}-linux-[a-z0-9]+\\.tar$`);
/** Images for these are assembled here too; the program with its Node is not, since npm installs for one processor. */
const FOREIGN = Object.keys(ARCHITECTURES).filter((architecture) => architecture !== hostArchitecture());
const COPIED: readonly (readonly [folder: string, wanted: RegExp])[] = [
  ['images', IMAGES],
  ['images', /^digests\.lock\.json$/],
  ['program', new RegExp(`^(install\\.sh|nectar-byon-${OF_VERSION}-linux-[a-z0-9]+\\.tar\\.gz)$`)],
  ...FOREIGN.map((architecture) => [`${architecture}/images`, IMAGES] as const),
  ['sbom', /\.cdx\.json$/],
];

/** A statement names a commit: what is not in it would be built all the same. */
function cleanCommit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  if (git('status', '--porcelain') !== '') throw new Error('the tree has changes that are in no commit');
  return git('rev-parse', 'HEAD');
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** As `helm package` lays it out, with no time of its own. */
async function packChart(path: string): Promise<void> {
  const pack = createPack();
  const names = readdirSync(CHART, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.relative(CHART, join(entry.parentPath, entry.name)))
    .toSorted();
  for (const name of names) {
    pack.entry(
      { name: `nectar-byon/${name}`, type: 'file', mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 },
      readFileSync(join(CHART, name)),
    );
  }
  pack.finalize();
  await pipeline(pack, createGzip({ level: 6 }), createWriteStream(path));
}
