/** One mount of a mount namespace (proc_pid_mountinfo(5)). */
export interface MountEntry {
  readonly point: string;
  readonly readOnly: boolean;
  readonly noexec: boolean;
}

/** The mounts that are to be seen: of several on one point the last lies on top. */
export function parseMountInfo(text: string): MountEntry[] {
  const byPoint = new Map<string, MountEntry>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [own = '', system = ''] = line.split(' - ');
    const [, , , , point, options] = own.split(' ');
    const superOptions = system.split(' ').slice(2).join(' ');
    if (point === undefined || options === undefined || system === '') throw new Error('mountinfo is none');
    const flags = options.split(',');
    const path = unescaped(point);
    byPoint.delete(path);
    byPoint.set(path, {
      point: path,
      readOnly: flags.includes('ro') || superOptions.split(',').includes('ro'),
      noexec: flags.includes('noexec'),
    });
  }
  return [...byPoint.values()];
}

/** The mount that a path lies on. */
export function mountOf(path: string, mounts: readonly MountEntry[]): MountEntry | undefined {
  const above = mounts.filter(({ point }) => point === '/' || path === point || path.startsWith(`${point}/`));
  return above.reduce<MountEntry | undefined>(
    (longest, mount) => (longest === undefined || mount.point.length >= longest.point.length ? mount : longest),
    undefined,
  );
}

/** Spaces and the like are written in octal. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
