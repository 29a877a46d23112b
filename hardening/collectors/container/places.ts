import type { Observation } from '../../fact-set.ts';
import type { Document } from '../document.ts';
import { observe } from '../observe.ts';
import type { Inspected } from './inspected.ts';

const SENSITIVE = ['/boot', '/dev', '/etc', '/lib', '/proc', '/sys', '/usr', '/var'];
const ENGINE_SOCKETS = [
  '/run/docker.sock',
  '/run/podman/podman.sock',
  '/run/containerd/containerd.sock',
  '/run/crio/crio.sock',
];
const SOCKET_NAME = /(^|\/)(docker|podman|containerd|crio|cri-dockerd|dockershim)\.sock$/;
/** Mount options that open and that close. */
const SAFE = { exec: 'noexec', suid: 'nosuid', dev: 'nodev' } as const;

type PlaceFact = `container.${
  | 'hostMounts'
  | 'writableHostMounts'
  | 'sensitiveHostMounts'
  | 'engineSocketMounted'
  | 'mountPropagation'
  | 'writableVolumes'
  | 'volumes'
  | 'tmpfs'
  | 'tmpfsUnsafe'}`;

interface Mount {
  readonly type: string;
  readonly source: string;
  readonly name: string;
  readonly target: string;
  readonly writable: boolean;
  readonly propagation: string;
}

/** What of its host and of its volumes a container sees. */
export function placeFacts({ engine, document, node, context }: Inspected): Record<PlaceFact, Observation> {
  const mounts = (): Mount[] => mountsOf(document);
  const binds = (): Mount[] => mounts().filter(({ type }) => type === 'bind');
  const volumes = (): Mount[] => mounts().filter(({ type }) => type === 'volume');
  const short = ({ name }: Mount): string => withoutPrefix(name, node.prefix);
  const shown = ({ source, writable }: Mount): string => `${source}:${writable ? 'rw' : 'ro'}`;
  return {
    'container.hostMounts': observe(() => binds().map(shown)),
    'container.writableHostMounts': observe(() =>
      binds()
        .filter(({ writable }) => writable)
        .map(({ source }) => source),
    ),
    'container.sensitiveHostMounts': observe(() =>
      binds()
        .filter(({ source, target }) => isSensitive(source) && target !== context.keyFileTarget)
        .map(shown),
    ),
    'container.engineSocketMounted': observe(() => mounts().some(({ source }) => holdsEngineSocket(source))),
    'container.mountPropagation': observe(() =>
      mounts()
        .map(({ propagation }) => propagation)
        .filter((mode) => /^r?(shared|slave)$/.test(mode)),
    ),
    'container.writableVolumes': observe(() =>
      volumes()
        .filter(({ writable }) => writable)
        .map(short),
    ),
    'container.volumes': observe(() => volumes().map(short)),
    'container.tmpfs': observe(() => tmpfsOf(document).map(({ path }) => path)),
    'container.tmpfsUnsafe': observe(() =>
      tmpfsOf(document)
        .filter(({ options }) => isUnsafe(engine, options))
        .map(({ path }) => path),
    ),
  };
}

/** Where something else than its image lies in a container. */
export function mountTargets(document: Document): string[] {
  return [...mountsOf(document).map(({ target }) => target), ...tmpfsOf(document).map(({ path }) => path)];
}

export function withoutPrefix(name: string, prefix: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

export function isSensitive(path: string): boolean {
  return path === '/' || SENSITIVE.some((folder) => path === folder || path.startsWith(`${folder}/`));
}

/** A socket of an engine, by name or by place, or a folder above one. */
export function holdsEngineSocket(source: string): boolean {
  if (SOCKET_NAME.test(source)) return true;
  const path = source.replace(/^\/var\/run(?=\/|$)/, '/run').replace(/\/+$/, '');
  return ENGINE_SOCKETS.some((socket) => socket.startsWith(`${path}/`));
}

function mountsOf(document: Document): Mount[] {
  return document
    .in('Mounts')
    .items()
    .map((mount) => ({
      type: mount.in('Type').text(),
      source: mount.in('Source').textOr(''),
      name: mount.in('Name').textOr(''),
      target: mount.in('Destination').text(),
      writable: mount.in('RW').flag(),
      propagation: mount.in('Propagation').textOr(''),
    }));
}

function tmpfsOf(document: Document): { readonly path: string; readonly options: readonly string[] }[] {
  const host = document.in('HostConfig');
  const named = host
    .in('Tmpfs')
    .entries()
    .map(([path, options]) => ({ path, options: options.textOr('').split(',') }));
  const mounted = host
    .in('Mounts')
    .items()
    .filter((mount) => mount.in('Type').text() === 'tmpfs')
    .map((mount) => ({ path: mount.in('Target').text(), options: [] }));
  return [...named, ...mounted];
}

/** Of two words the last counts. Docker puts its own, which are safe, before those that it is given; Podman shows all of them. */
function isUnsafe(engine: Inspected['engine'], options: readonly string[]): boolean {
  const all = engine === 'docker' ? [...Object.values(SAFE), ...options] : options;
  return Object.entries(SAFE).some(([unsafe, safe]) => all.lastIndexOf(unsafe) >= all.lastIndexOf(safe));
}
