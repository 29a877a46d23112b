import type { HostFiles } from './host-files.ts';

/** Devices on devices: LVM on LUKS on RAID is four. */
const MAX_DEPTH = 16;
const CRYPT_UUID = /^CRYPT-/;

interface Mount {
  readonly device: string;
  readonly mountPoint: string;
  readonly source: string;
  readonly type: string;
}

/** Whether the file system on which `path` lies is on dm-crypt, through whatever lies between. */
export async function isEncrypted(host: HostFiles, path: string): Promise<boolean> {
  const mount = await mountOf(host, path);
  if (!mount.device.startsWith('0:')) return isCryptDevice(host, mount.device, 0);
  // btrfs and others hide their device behind a number of their own.
  if (!mount.source.startsWith('/dev/'))
    throw new Error(`a file system of type ${mount.type} does not tell its device`);
  return isCryptDevice(host, await host.device(mount.source, 'device'), 0);
}

/** Whether `path` is where a file system begins. */
export async function isMountPoint(host: HostFiles, path: string): Promise<boolean> {
  return (await mountOf(host, path)).mountPoint === path;
}

/** Swap areas on disk that nothing encrypts. */
export async function plainSwap(host: HostFiles): Promise<string[]> {
  const text = (await host.read('/proc/swaps'))?.toString('utf8');
  if (text === undefined) throw new Error('there is no /proc/swaps');
  const plain: string[] = [];
  for (const line of text.split('\n').slice(1)) {
    const [name = '', type] = line.trim().split(/\s+/);
    if (name === '' || /^\/dev\/zram\d+$/.test(name)) continue;
    const path = decodeOctal(name);
    const encrypted =
      type === 'partition'
        ? await isCryptDevice(host, await host.device(path, 'device'), 0)
        : await isEncrypted(host, path);
    if (!encrypted) plain.push(path);
  }
  return plain;
}

async function isCryptDevice(host: HostFiles, device: string, depth: number): Promise<boolean> {
  if (depth > MAX_DEPTH) throw new Error('the devices below it have no end');
  const folder = `/sys/dev/block/${device}`;
  const uuid = (await host.read(`${folder}/dm/uuid`))?.toString('utf8') ?? '';
  if (CRYPT_UUID.test(uuid)) return true;
  if ((await host.list(folder)) === undefined) throw new Error(`there is no block device ${device}`);
  const below = (await host.list(`${folder}/slaves`)) ?? [];
  if (below.length === 0) return false;
  for (const name of below) {
    const own = (await host.read(`/sys/class/block/${name}/dev`))?.toString('utf8').trim();
    if (own === undefined || !(await isCryptDevice(host, own, depth + 1))) return false;
  }
  return true;
}

async function mountOf(host: HostFiles, path: string): Promise<Mount> {
  const text = (await host.read('/proc/self/mountinfo'))?.toString('utf8');
  if (text === undefined) throw new Error('there is no /proc/self/mountinfo');
  const above = text
    .split('\n')
    .flatMap(parseMount)
    .filter(({ mountPoint }) => mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`));
  // The later of two at one place covers the earlier.
  const [closest] = above.reverse().toSorted((a, b) => b.mountPoint.length - a.mountPoint.length);
  if (closest === undefined) throw new Error(`no file system is mounted for ${path}`);
  return closest;
}

/** proc(5): `id parent major:minor root mountpoint options ... - type source options` */
function parseMount(line: string): Mount[] {
  const [before = '', after = ''] = line.split(' - ');
  const [, , device, , mountPoint] = before.split(' ');
  const [type = '', source = ''] = after.split(' ');
  return device === undefined || mountPoint === undefined
    ? []
    : [{ device, mountPoint: decodeOctal(mountPoint), source: decodeOctal(source), type }];
}

/** The kernel writes spaces and the like as three octal digits. */
function decodeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
