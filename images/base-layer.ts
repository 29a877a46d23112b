import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ARCHITECTURES, type Architecture, type BaseInputs } from './base-lock.ts';
import { debControl, fetchDeb, sha256, unpackDeb } from './debian.ts';
import { parseElfNeeds } from './elf.ts';
import { nodePackageFolder } from './node-package.ts';
import { GROUP, ROLE_SPECS } from './role-specs.ts';
import type { TarEntry } from './tar.ts';

const MODULES = fileURLToPath(new URL('../node_modules', import.meta.url));
export const DEB_CACHE = join(MODULES, '.cache', 'nectar-byon', 'debs');
const LIBRARY_FOLDERS = ['lib', 'usr/lib'];
const CERTIFICATES = 'usr/share/ca-certificates/mozilla';
/** What the packages' copyright files refer to instead of repeating it. */
const COMMON_LICENCES = [
  'Apache-2.0',
  'Artistic',
  'GPL-2',
  'GPL-3',
  'LGPL-2',
  'LGPL-2.1',
  'LGPL-3',
  'MPL-2.0',
  'GFDL-1.3',
];

export function nodeBinaryPath(architecture: Architecture): string {
  return join(nodePackageFolder(architecture), 'bin', 'node');
}

/**
 * What every role stands on: Node, the shared libraries that it names, CA certificates, users, licences. No shell, no package
 * manager, no setuid file; nothing is run while it is made.
 */
export function baseEntries(architecture: Architecture, inputs: BaseInputs): TarEntry[] {
  const node = readFileSync(nodeBinaryPath(architecture));
  if (sha256(node) !== inputs.node.sha256) throw new Error('the node program is not the one in images/base.lock.json');
  const root = mkdtempSync(join(tmpdir(), 'nectar-base-'));
  try {
    const debs = inputs.debian.packages.map((wanted) => ({ wanted, path: fetchDeb(wanted, DEB_CACHE) }));
    for (const { path } of debs) unpackDeb(path, root);
    return [
      file('nodejs/bin/node', node, 0o755),
      ...libraries(node, root, architecture),
      certificates(root),
      ...accounts(),
      file('usr/lib/os-release', readFileSync(join(root, 'usr/lib/os-release'))),
      { kind: 'link', path: 'etc/os-release', mode: 0o777, target: '../usr/lib/os-release' },
      ...debs.map(({ wanted, path }) => file(`var/lib/dpkg/status.d/${wanted.name}`, debControl(path))),
      ...licences(root, architecture, inputs),
      { kind: 'directory', path: 'tmp', mode: 0o1777 },
      { kind: 'directory', path: 'run/secrets', mode: 0o755 },
    ];
  } finally {
    rmSync(root, { recursive: true });
  }
}

function file(path: string, content: Uint8Array | string, mode = 0o644): TarEntry {
  return { kind: 'file', path, mode, content: typeof content === 'string' ? Buffer.from(content) : content };
}

/** The loader and, by the ELF headers, the libraries that Node and they themselves name; links on the way included. */
function libraries(node: Uint8Array, root: string, architecture: Architecture): TarEntry[] {
  const { triplet } = ARCHITECTURES[architecture];
  const { interpreter, needed } = parseElfNeeds(node);
  if (interpreter === undefined) throw new Error('the node program names no loader');
  const entries = new Map<string, TarEntry>();
  const add = (path: string, content: Uint8Array): void => {
    entries.set(path, file(path, content, 0o755));
  };
  // Where Debian has a link from /lib64 into a directory that the image does not have, the file itself.
  const loader = readFileSync(findLibrary(root, interpreter.slice(interpreter.lastIndexOf('/') + 1), triplet).real);
  add(interpreter.slice(1), loader);

  const queue = [...needed];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (interpreter.endsWith(`/${name}`)) continue;
    const { folder, real } = findLibrary(root, name, triplet);
    const path = `${folder}/${name}`;
    if (entries.has(path)) continue;
    const content = readFileSync(real);
    const realName = real.slice(real.lastIndexOf('/') + 1);
    add(`${folder}/${realName}`, content);
    if (realName !== name) entries.set(path, { kind: 'link', path, mode: 0o777, target: realName });
    queue.push(...parseElfNeeds(content).needed);
  }
  return [...entries.values()];
}

function findLibrary(root: string, name: string, triplet: string): { folder: string; real: string } {
  for (const library of LIBRARY_FOLDERS) {
    const folder = `${library}/${triplet}`;
    const path = join(root, folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    const target = isLink(path) ? join(root, folder, readlinkSync(path)) : path;
    return { folder, real: target };
  }
  throw new Error(`no package in images/base.lock.json has ${name}`);
}

function isLink(path: string): boolean {
  try {
    readlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Node has Mozilla's roots built in; this file is for `--use-openssl-ca`, where a site adds its own. */
function certificates(root: string): TarEntry {
  const names = readdirSync(join(root, CERTIFICATES)).sort();
  const bundle = names.map((name) => readFileSync(join(root, CERTIFICATES, name), 'utf8').trimEnd());
  return file('etc/ssl/certs/ca-certificates.crt', `${bundle.join('\n')}\n`);
}

function accounts(): TarEntry[] {
  const roles = Object.entries(ROLE_SPECS);
  const user = (name: string, uid: number, gid: number): string =>
    `${name}:x:${uid}:${gid}::/nonexistent:/nonexistent\n`;
  const group = (name: string, gid: number, members = ''): string => `${name}:x:${gid}:${members}\n`;
  const names = roles.map(([role]) => `nectar-${role}`);
  return [
    file('etc/passwd', user('root', 0, 0) + roles.map(([role, { uid }]) => user(`nectar-${role}`, uid, uid)).join('')),
    file(
      'etc/group',
      group('root', 0) +
        group('nectar', GROUP, names.join(',')) +
        roles.map(([role, { uid }]) => group(`nectar-${role}`, uid)).join(''),
    ),
    file('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
  ];
}

function licences(root: string, architecture: Architecture, { debian }: BaseInputs): TarEntry[] {
  const node = join(nodePackageFolder(architecture), 'LICENSE');
  const doc = (name: string): string => join(root, 'usr/share/doc', name, 'copyright');
  // libstdc++6 and libgcc-s1 only link to the directory of their source's common package, which is not unpacked here.
  const copyrights = debian.packages.flatMap(({ name }) => {
    const found = statSync(doc(name), { throwIfNoEntry: false });
    return found === undefined ? [] : [file(`licenses/debian/${name}/copyright`, readFileSync(doc(name)))];
  });
  const common = COMMON_LICENCES.flatMap((name) => {
    const path = join(root, 'usr/share/common-licenses', name);
    return statSync(path, { throwIfNoEntry: false })?.isFile()
      ? [file(`licenses/common/${name}`, readFileSync(path))]
      : [];
  });
  return [file('licenses/node/LICENSE', readFileSync(node)), ...copyrights, ...common];
}
