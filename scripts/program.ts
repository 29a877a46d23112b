/**
 * The program for a machine without Node, npm and network: dist/program/nectar-byon-VERSION-linux-ARCH.tar.gz is the published package
 * with the npm packages of the lockfile that it runs with, Node among them; dist/program/install.sh unpacks it.
 * After `npm run bundle`. Same sources, same bytes.
 */
import { execFileSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGzip } from 'node:zlib';
import { pack as createPack } from 'tar-stream';
import { VERSION } from '../cli/version.ts';
import { hostArchitecture } from '../images/base-lock.ts';
import { writeFile } from '../images/bundle-folder.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TOP = 'nectar-byon';
/** The launcher starts the Node of a set-up that is complete. */
const STAMP = 'node_modules/.nectar-installed';
/** What runs nothing: declarations, source maps, and what comes with Node for those who compile against it. */
const LEFT_OUT = /\.d\.[cm]?ts$|\.map$|^node_modules\/node-linux-[^/]+\/(include|share)\//;

interface Entry {
  readonly dev?: boolean;
}

/** Paths below the clone of all that the program runs with, sorted by bytes. */
function filesOfProgram(): string[] {
  const listed = execFileSync('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const [packed] = Object.values(JSON.parse(listed) as Record<string, { files: { path: string }[] }>);
  if (packed === undefined) throw new Error('npm pack named no files');
  const own = packed.files.map(({ path }) => path);
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, Entry> };
  const folders = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  // What is for another platform is not there.
  const installed = folders.map(([path]) => path).filter((path) => existsSync(join(ROOT, path)));
  const modules = installed.flatMap(filesOfPackage);
  return [...own, ...modules].filter((path) => !LEFT_OUT.test(path)).sort();
}

/** Without the packages below it, which the lockfile names on their own. */
function filesOfPackage(folder: string): string[] {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesOfPackage(path);
    return entry.isFile() ? [path] : [];
  });
}

async function writeProgram(path: string, files: readonly string[]): Promise<void> {
  const pack = createPack();
  const at = { type: 'file', mtime: new Date(0), uid: 0, gid: 0 } as const;
  const add = (name: string, mode: number, content: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      pack.entry({ name: `${TOP}/${name}`, mode, ...at }, Buffer.from(content), (error) =>
        error ? reject(error) : resolve(),
      );
    });
  async function fill(): Promise<void> {
    for (const file of files) {
      const source = join(ROOT, file);
      await add(file, (statSync(source).mode & 0o100) === 0 ? 0o644 : 0o755, readFileSync(source));
    }
    await add(STAMP, 0o644, Buffer.from(`${VERSION}\n`));
    pack.finalize();
  }
  const partial = `${path}.${process.pid}`;
  await Promise.all([fill(), pipeline(pack, createGzip({ level: 6 }), createWriteStream(partial))]);
  renameSync(partial, path);
}

const folder = join(ROOT, 'dist', 'program');
mkdirSync(folder, { recursive: true });
const name = `nectar-byon-${VERSION}-linux-${hostArchitecture()}.tar.gz`;
await writeProgram(join(folder, name), filesOfProgram());
writeFile(join(folder, 'install.sh'), readFileSync(join(ROOT, 'scripts', 'install.sh')));
const mebibytes = Math.round(statSync(join(folder, name)).size / 1024 / 1024);
process.stdout.write(`dist/program: ${name} ${mebibytes} MiB, install.sh\n`);
