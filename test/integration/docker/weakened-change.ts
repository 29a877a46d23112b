import type { MountSettings } from 'dockerode';
import type { ContainerRole } from '../../../cli/provision/docker/role-table.ts';
import { readSeccompProfile } from '../../../cli/provision/docker/seccomp-profile.ts';
import type { Weakening } from '../weakened/weakening.ts';
import type { Body, Host } from './weakened-body.ts';
import type { WeakenedStack } from './weakened-stack.ts';

export type Change = (body: Body, stack: WeakenedStack) => void;

type Row = (
  name: string,
  change: Change | readonly Change[],
  fails: readonly string[],
  otherwise?: Weakening<WeakenedStack>['otherwise'],
) => Weakening<WeakenedStack>;

/** Of a container made anew by hand, from the node's own specification with something changed. */
export function rowsOf(role: ContainerRole): Row {
  return (name, change, fails, otherwise = {}) => ({
    // Whatever is changed by hand is drift too, unless the row says that only a check of its own sees it.
    ...{ name: `${role} ${name}`, fails: [...fails, 'CTR-091'], otherwise },
    weaken: (stack) =>
      stack.replace(role, (body) => {
        for (const one of [change].flat()) one(body, stack);
      }),
  });
}

export const top =
  (more: Partial<Body>): Change =>
  (body) => {
    Object.assign(body, more);
  };

export const host =
  (more: Host): Change =>
  (body) => {
    Object.assign(body.HostConfig, more);
  };

const IDLE = 'process.umask(0o77); process.on("SIGTERM", () => process.exit()); setInterval(() => {}, 2 ** 30);';

/** Runs nothing of the node: for a user or a place with which the program itself would not start. */
export const idle: Change = top({
  Entrypoint: ['/nodejs/bin/node'],
  Cmd: ['--input-type=module', '-e', IDLE],
});

export const label =
  (more: Readonly<Record<string, string>>): Change =>
  (body) => {
    body.Labels = { ...body.Labels, ...more };
  };

export const environment =
  (...more: readonly string[]): Change =>
  (body) => {
    body.Env = [...(body.Env ?? []), ...more];
  };

export const argument =
  (...more: readonly string[]): Change =>
  (body) => {
    body.Cmd = [...(body.Cmd ?? []), ...more];
  };

/** One line of SecurityOpt in place of the one that begins like it; none where the line is empty. */
export const security =
  (begin: string, line = ''): Change =>
  ({ HostConfig }) => {
    const options: readonly string[] = HostConfig.SecurityOpt ?? [];
    const others = options.filter((option) => !option.startsWith(begin));
    HostConfig.SecurityOpt = line === '' ? others : [...others, line];
  };

/** The role's own profile, changed. */
export const seccomp =
  (role: ContainerRole, change: (profile: { defaultAction: string; syscalls: object[] }) => object): Change =>
  (body, stack) =>
    security('seccomp=', `seccomp=${JSON.stringify(change(JSON.parse(readSeccompProfile(role))))}`)(body, stack);

/** A volume of the node, by its name without the prefix. */
export const volume =
  (name: string, more: { readonly at?: string; readonly readOnly?: boolean } = {}): Change =>
  (body, stack) => {
    const { at = `/nectar/${name}`, readOnly = false } = more;
    const others = (body.HostConfig.Mounts ?? []).filter(({ Target }) => Target !== at);
    body.HostConfig.Mounts = [...others, { Type: 'volume', Source: stack.name(name), Target: at, ReadOnly: readOnly }];
  };

/** A folder or file of the host. */
export const bind =
  (source: string, more: Partial<MountSettings> = {}): Change =>
  (body, stack) => {
    const mount: MountSettings = {
      Type: 'bind',
      Source: source.replace('HERE', stack.folder),
      Target: '/mnt',
      ...more,
    };
    body.HostConfig.Mounts = [...(body.HostConfig.Mounts ?? []), mount];
  };

export const network =
  (name: string): Change =>
  (body, stack) => {
    body.HostConfig.NetworkMode = stack.name(name);
  };

/** Published elsewhere than at the address of the configuration. */
export const published =
  (port: string, at: { readonly HostIp: string; readonly HostPort?: string }): Change =>
  ({ HostConfig }) => {
    const [now] = (HostConfig.PortBindings as Record<string, { HostPort: string }[]>)[port] ?? [];
    HostConfig.PortBindings = { [port]: [{ HostPort: now?.HostPort ?? '', ...at }] };
  };
