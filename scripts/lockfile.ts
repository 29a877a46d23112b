/**
 * Completes package-lock.json: a registry that lacks a package for another platform makes npm leave it out of the lockfile, and
 * `npm ci` then refuses the whole file. Each missing optional package gets an entry with its pinned version, its platform and the
 * digest that the registry publishes for it: whoever installs on that platform gets those bytes or nothing. Run it after every
 * `npm install`. `check` asks nobody: it finds entries that are missing, and entries without a digest.
 *
 * `node scripts/lockfile.ts [check]`
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

interface Entry {
  readonly version?: string;
  integrity?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const PATH = new URL('../package-lock.json', import.meta.url);
const SYSTEMS = ['darwin', 'linux', 'win32', 'android', 'freebsd', 'openbsd', 'netbsd', 'sunos', 'aix', 'openharmony'];
const PROCESSORS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['arm64', 'x64', 'arm', 'ia32', 'riscv64', 'ppc64', 's390x', 'mips64el', 'loong64'].map((name) => [name, name]),
  ),
  amd64: 'x64',
};

function missingEntry(name: string, version: string, dev: boolean): object {
  const words = name.split(/[-/]/);
  const os = SYSTEMS.filter((system) => words.includes(system));
  const cpu = [...new Set(words.flatMap((word) => PROCESSORS[word] ?? []))];
  return {
    version,
    ...(cpu.length > 0 && { cpu }),
    ...(dev && { dev: true }),
    ...(words.includes('musl') && { libc: ['musl'] }),
    optional: true,
    ...(os.length > 0 && { os }),
  };
}

/** What the registry says of the bytes of a version (Subresource Integrity). */
function publishedIntegrity(name: string, version: string): string {
  const text = execFileSync('npm', ['view', `${name}@${version}`, 'dist.integrity'], { encoding: 'utf8' }).trim();
  if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(text)) throw new Error(`the registry has no digest of ${name}@${version}`);
  return text;
}

const lock = JSON.parse(readFileSync(PATH, 'utf8')) as { packages: Record<string, Entry> };
const added: string[] = [];
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    if (lock.packages[path] !== undefined) continue;
    lock.packages[path] = missingEntry(name, version, entry.dev === true);
    added.push(`${name}@${version}`);
  }
}
const unpinned = Object.entries(lock.packages).filter(
  ([path, { integrity, link }]) => path !== '' && integrity === undefined && link !== true,
);
if (process.argv[2] === 'check') {
  const wrong = [...added, ...unpinned.map(([path]) => `the digest of ${path}`)];
  if (wrong.length > 0) {
    process.stderr.write(`package-lock.json lacks ${wrong.join(', ')}: run node scripts/lockfile.ts\n`);
    process.exitCode = 1;
  }
} else {
  for (const [path, entry] of unpinned) {
    const { version = '', ...rest } = entry;
    const integrity = publishedIntegrity(
      path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version,
    );
    lock.packages[path] = { version, integrity, ...rest };
  }
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(PATH, `${JSON.stringify(lock, undefined, 2)}\n`);
  process.stdout.write(`${added.length} entries added, ${unpinned.length} digests\n`);
}
