import { openDocument } from '../document.ts';
import type { ArchivedImage } from './archive.ts';
import { type LayerFile, mergeLayers } from './layer.ts';

const MAX_PATHS = 64;
const SETUID_OR_SETGID = 0o6000;
const STICKY = 0o1000;
const ANYONE_WRITES = 0o002;
const ANYONE_EXECUTES = 0o111;

const SHELLS = /^(sh|bash|rbash|dash|ash|zsh|ksh|mksh|csh|tcsh|fish|pwsh|busybox|toybox)$/;
const PACKAGE_MANAGERS =
  /^(apt|apt-get|aptitude|dpkg|apk|yum|dnf|microdnf|tdnf|rpm|zypper|pacman|opkg|npm|npx|yarn|pnpm|corepack|pip|pip3|gem|cargo|conda|brew|nix)$/;
const CREDENTIALS =
  /(^|\/)(id_(rsa|dsa|ecdsa|ed25519)|\.npmrc|\.netrc|\.pgpass|\.git-credentials|\.dockercfg|\.docker\/config\.json|\.aws\/credentials|\.kube\/config|\.env|[^/]+\.(p12|pfx|jks|keystore|kdbx))$/;

/** What the files of an image say of it. */
export interface ImageFiles {
  readonly shells: string[];
  readonly packageManagers: string[];
  readonly setuidFiles: string[];
  readonly fileCapabilities: string[];
  readonly worldWritableFiles: string[];
  readonly secretFiles: string[];
  readonly hasSbom: boolean;
  readonly packages: number;
}

/** Secrets are looked for in every layer: what a later one deletes is still in the image. */
export function examineFiles({ layers }: ArchivedImage): ImageFiles {
  const shown = [...mergeLayers(layers)];
  const every = layers.flatMap(({ files }) => [...files]);
  return {
    shells: paths(shown, ([path, file]) => runs(file) && SHELLS.test(nameOf(path))),
    packageManagers: paths(shown, ([path, file]) => runs(file) && PACKAGE_MANAGERS.test(nameOf(path))),
    setuidFiles: paths(shown, ([, file]) => isFile(file) && (file.mode & SETUID_OR_SETGID) !== 0),
    fileCapabilities: paths(shown, ([, file]) => file.hasCapability),
    worldWritableFiles: paths(shown, ([, file]) => isWorldWritable(file)),
    secretFiles: paths(
      every,
      ([path, file]) => file.beginsWithPrivateKey || (isFile(file) && file.bytes > 0 && CREDENTIALS.test(path)),
    ),
    hasSbom: shown.some(([path, { text }]) => path.endsWith('.cdx.json') && text !== undefined && isSbom(text)),
    packages: countPackages(shown),
  };
}

function paths(files: readonly [string, LayerFile][], holds: (file: [string, LayerFile]) => boolean): string[] {
  const found = files.filter(holds).map(([path]) => `/${path}`);
  return [...new Set(found)].sort().slice(0, MAX_PATHS);
}

function isFile({ type }: LayerFile): boolean {
  return type === 'file' || type === 'hardlink';
}

/** A link counts: what it leads to may lie under another name. */
function runs(file: LayerFile): boolean {
  return file.type === 'symlink' || (isFile(file) && (file.mode & ANYONE_EXECUTES) !== 0);
}

function isWorldWritable(file: LayerFile): boolean {
  if (isFile(file)) return (file.mode & ANYONE_WRITES) !== 0;
  return file.type === 'folder' && (file.mode & ANYONE_WRITES) !== 0 && (file.mode & STICKY) === 0;
}

function isSbom(text: string): boolean {
  try {
    const bom = openDocument(JSON.parse(text));
    return bom.in('bomFormat').text() === 'CycloneDX' && bom.in('components').items().length > 0;
  } catch {
    // Something of that name is no bill of materials.
    return false;
  }
}

/** A file each, as in images without a package manager, or one list. */
function countPackages(files: readonly [string, LayerFile][]): number {
  const single = files.filter(
    ([path]) => /^var\/lib\/dpkg\/status\.d\/[^/]+$/.test(path) && !path.endsWith('.md5sums'),
  );
  if (single.length > 0) return single.length;
  const list = files.find(([path]) => path === 'var/lib/dpkg/status')?.[1].text ?? '';
  return (list.match(/^Package: /gm) ?? []).length;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
