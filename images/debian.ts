import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DebianPackage } from './base-lock.ts';

/** Where apt keeps what it has downloaded: a machine that installed the very version needs no network. */
const APT_CACHE = '/var/cache/apt/archives';

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * The path of a package's .deb whose SHA-256 is the locked one: from the cache, from apt's own cache, from the archive that apt
 * is set up with (by the machine's lists, then by fresh ones of our own, which needs no root), or from that archive's pool when the
 * list has gone on to a newer version. The mirror is not trusted: the hash is.
 */
export function fetchDeb(wanted: DebianPackage, cache: string): string {
  mkdirSync(cache, { recursive: true });
  const path = join(cache, debName(wanted));
  if (existsSync(path) && isWanted(path, wanted)) return path;
  const { architecture } = wanted;
  const sources = [
    () => fromAptCache(wanted, cache),
    // The machine's own lists are of its own processor.
    () => (isForeign(architecture) ? undefined : fromArchive(wanted, cache, [])),
    () => fromArchive(wanted, cache, freshLists(cache, architecture)),
    () => fromPool(wanted, cache, freshLists(cache, architecture)),
  ];
  for (const source of sources) {
    const found = source();
    if (found === undefined) continue;
    if (!isWanted(found, wanted)) {
      rmSync(found);
      throw new Error(`${debName(wanted)} is not the one in images/base.lock.json`);
    }
    renameSync(found, path);
    return path;
  }
  throw new Error(
    `${wanted.name} ${wanted.version} is no longer in Debian's archive, or there is no network; ` +
      'if it stays away, choose its successor with `scripts/images.ts lock`',
  );
}

/** The version that the archive offers now, downloaded. */
export function fetchNewestDeb(name: string, architecture: string, cache: string): DebianPackage {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-deb-'));
  try {
    const lists = freshLists(cache, architecture);
    const file = download([...lists, `${name}:${architecture}`], folder) ?? download([...lists, name], folder);
    if (file === undefined) throw new Error(`Debian's archive does not offer ${name} for ${architecture}`);
    const bytes = readFileSync(file);
    const found = {
      name,
      version: debField(file, 'Version'),
      architecture: debField(file, 'Architecture'),
      sha256: sha256(bytes),
    };
    mkdirSync(cache, { recursive: true });
    copyFileSync(file, join(cache, debName(found)));
    return found;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Unpacks into `folder`: names and modes as in the package, owners left out. */
export function unpackDeb(deb: string, folder: string): void {
  execFileSync('dpkg-deb', ['--extract', deb, folder], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The package's control file, as scanners of images look for it below /var/lib/dpkg/status.d. */
export function debControl(deb: string): string {
  return execFileSync('dpkg-deb', ['--field', deb], { encoding: 'utf8' });
}

function debField(deb: string, field: string): string {
  return execFileSync('dpkg-deb', ['--field', deb, field], { encoding: 'utf8' }).trim();
}

/** An epoch's colon is written %3a in a file's name. */
function debName({ name, version, architecture }: DebianPackage): string {
  return `${name}_${version.replace(':', '%3a')}_${architecture}.deb`;
}

function isWanted(path: string, wanted: DebianPackage): boolean {
  return sha256(readFileSync(path)) === wanted.sha256;
}

function fromAptCache(wanted: DebianPackage, cache: string): string | undefined {
  const path = join(APT_CACHE, debName(wanted));
  if (!existsSync(path) || !isWanted(path, wanted)) return undefined;
  return taken(path, cache);
}

const updated = new Set<string>();

let own: string | undefined;

/** Whether packages are for another processor than this machine's: dpkg need not know that one. */
function isForeign(architecture: string): boolean {
  own ??= execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
  return architecture !== 'all' && architecture !== own;
}

/** apt's options for package lists of our own below the cache, brought up to date once per process. */
function freshLists(cache: string, architecture: string): string[] {
  const foreign = isForeign(architecture);
  const folder = join(cache, foreign ? `apt-${architecture}` : 'apt');
  for (const name of ['lists/partial', 'archives/partial']) mkdirSync(join(folder, name), { recursive: true });
  const options = [
    `Dir::State::lists=${folder}/lists`,
    `Dir::Cache=${folder}`,
    `Dir::Cache::archives=${folder}/archives`,
    'Acquire::Retries=3',
    ...(foreign ? [`APT::Architecture=${architecture}`, `APT::Architectures::=${architecture}`] : []),
  ];
  // As root apt would become _apt, who may not write here.
  const words = [...options, 'APT::Sandbox::User=root'].flatMap((option) => ['-o', option]);
  if (!updated.has(folder)) quiet('apt-get', [...words, 'update']);
  updated.add(folder);
  return words;
}

function fromArchive(wanted: DebianPackage, cache: string, lists: readonly string[]): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-deb-'));
  try {
    const file = download([...lists, `${wanted.name}=${wanted.version}`], folder);
    return file === undefined ? undefined : taken(file, cache);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function fromPool(wanted: DebianPackage, cache: string, lists: readonly string[]): string | undefined {
  const offered = quiet('apt-get', [...lists, 'download', '--print-uris', wanted.name]);
  const url = /^'([^']+)\/[^/']+\.deb'/m.exec(offered ?? '')?.[1];
  if (url === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'nectar-deb-'));
  try {
    const file = join(folder, 'package.deb');
    // apt's own client, so that its proxy settings hold here too.
    const got = quiet('/usr/lib/apt/apt-helper', ['download-file', `${url}/${debName(wanted)}`, file]);
    return got === undefined ? undefined : taken(file, cache);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function taken(path: string, cache: string): string {
  const copy = join(cache, `.partial-${process.pid}`);
  copyFileSync(path, copy);
  return copy;
}

/** @param words options and one package, `name=version` or `name` */
function download(words: readonly string[], cwd: string): string | undefined {
  if (quiet('apt-get', ['download', ...words], cwd) === undefined) return undefined;
  const file = readdirSync(cwd).find((name) => name.endsWith('.deb'));
  return file === undefined ? undefined : join(cwd, file);
}

function quiet(program: string, args: readonly string[], cwd?: string): string | undefined {
  try {
    return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}
