import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RoleBundle } from './bundle-role.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LICENCE_FILE = /^(licen[cs]e|copying|notice|copyright|unlicense)/i;

/** An npm package of which at least one file is in a bundle. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression or, where the author wrote something else, his words. */
  readonly licence: string;
  /** SHA-512 of the registry's tarball, hex; from package-lock.json. */
  readonly sha512: string | undefined;
  readonly homepage: string | undefined;
  readonly licenceFiles: ReadonlyMap<string, Uint8Array>;
  /** Keys (`name@version`) of the packages that it imports in this bundle. */
  readonly uses: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string | { readonly type: string };
  readonly licenses?: readonly { readonly type: string }[];
  readonly homepage?: string;
  readonly repository?: string | { readonly url: string };
}

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly integrity?: string }>>;
}

const APPLICATION = 'application';

/** The packages of a bundle by `name@version`, in order, and what our own code uses directly (under APPLICATION). */
export function npmPackagesOf({ sources }: Pick<RoleBundle, 'sources'>): {
  packages: NpmPackage[];
  direct: readonly string[];
} {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lockfile;
  const uses = new Map<string, Set<string>>();
  for (const [path, { imports }] of Object.entries(sources)) {
    const from = packageFolder(path) ?? APPLICATION;
    const targets = uses.get(from) ?? new Set();
    for (const { path: target, external } of imports) {
      const to = external === true ? undefined : packageFolder(target);
      if (to !== undefined && to !== from) targets.add(to);
    }
    uses.set(from, targets);
  }
  const keys = new Map([...uses.keys()].filter((key) => key !== APPLICATION).map((folder) => [folder, keyOf(folder)]));
  const named = (folder: string): string[] =>
    [...new Set([...(uses.get(folder) ?? [])].flatMap((to) => keys.get(to) ?? []))].sort();
  const found = new Map<string, NpmPackage>();
  for (const [folder, key] of keys) found.set(key, readPackage(folder, lock, named(folder)));
  const packages = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
  return { packages, direct: named(APPLICATION) };
}

/** `node_modules/a/node_modules/@b/c` for a file in it; undefined for our own files. */
function packageFolder(path: string): string | undefined {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
}

function keyOf(folder: string): string {
  const { name, version } = readManifest(folder);
  return `${name}@${version}`;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as Manifest;
}

function readPackage(folder: string, lock: Lockfile, uses: readonly string[]): NpmPackage {
  const manifest = readManifest(folder);
  const names = readdirSync(join(ROOT, folder)).filter((name) => LICENCE_FILE.test(name));
  const integrity = /^sha512-(.+)$/.exec(lock.packages[folder]?.integrity ?? '')?.[1];
  const repository = typeof manifest.repository === 'string' ? manifest.repository : manifest.repository?.url;
  return {
    name: manifest.name,
    version: manifest.version,
    licence: licenceOf(manifest),
    sha512: integrity === undefined ? undefined : Buffer.from(integrity, 'base64').toString('hex'),
    homepage: manifest.homepage ?? repository,
    licenceFiles: new Map(names.sort().map((name) => [name, readFileSync(join(ROOT, folder, name))])),
    uses,
  };
}

function licenceOf({ license, licenses }: Manifest): string {
  if (typeof license === 'string') return license;
  if (license !== undefined) return license.type;
  return licenses?.map(({ type }) => type).join(' OR ') ?? 'NOASSERTION';
}
