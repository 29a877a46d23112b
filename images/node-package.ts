import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ARCHITECTURES, type Architecture } from './base-lock.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = join(ROOT, 'node_modules', '.cache', 'nectar-byon', 'node');

interface Locked {
  readonly version: string;
  readonly integrity: string;
}

/**
 * The folder of the npm package node-linux-*: as npm installed it or, for another processor than this one, which npm leaves out, as the
 * registry has it, checked against the digest in package-lock.json.
 */
export function nodePackageFolder(architecture: Architecture): string {
  const name = `node-linux-${ARCHITECTURES[architecture].npm}`;
  const installed = join(ROOT, 'node_modules', name);
  if (existsSync(join(installed, 'bin', 'node'))) return installed;
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const locked = lock.packages[`node_modules/${name}`];
  if (locked === undefined) throw new Error(`package-lock.json has no ${name}`);
  const folder = join(CACHE, `${name}-${locked.version}`);
  if (!existsSync(folder)) fetchPackage(name, locked, folder);
  return folder;
}

function fetchPackage(name: string, { version, integrity }: Locked, folder: string): void {
  mkdirSync(CACHE, { recursive: true });
  const staged = mkdtempSync(join(CACHE, '.partial-'));
  try {
    // npm's own client, so that its registry and proxy settings hold here too.
    execFileSync('npm', ['pack', '--silent', `${name}@${version}`, '--pack-destination', staged], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [file = ''] = readdirSync(staged);
    const found = `sha512-${createHash('sha512')
      .update(readFileSync(join(staged, file)))
      .digest('base64')}`;
    if (found !== integrity) throw new Error(`${name} ${version} is not the one in package-lock.json`);
    execFileSync('tar', [
      '-xzf',
      join(staged, file),
      '-C',
      staged,
      'package/bin/node',
      'package/LICENSE',
      'package/package.json',
    ]);
    // Two builds at once: whose rename comes second finds the same bytes in place.
    if (!existsSync(folder)) renameSync(join(staged, 'package'), folder);
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
}
