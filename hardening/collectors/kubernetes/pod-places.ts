import type { Observation } from '../../fact-set.ts';
import { isAllInterfaces } from '../container/network.ts';
import { holdsEngineSocket, isSensitive } from '../container/places.ts';
import type { Document } from '../document.ts';
import { observe } from '../observe.ts';
import type { PodContainer, PodTemplate } from './pods.ts';

/** Kinds of volumes that nobody can write, whatever their mount says. */
const NEVER_WRITABLE = ['configMap', 'secret', 'downwardAPI', 'projected'];
const PROPAGATION: Readonly<Record<string, string>> = { Bidirectional: 'rshared', HostToContainer: 'rslave' };
const FIRST_UNPRIVILEGED_PORT = 1024;

interface Mount {
  readonly volume: string;
  readonly type: string;
  readonly target: string;
  readonly writable: boolean;
  readonly hostPath: string | undefined;
  readonly inMemory: boolean;
  readonly propagation: string;
}

/** What a container of a pod mounts and on which ports it is reached. */
export function podPlaceFacts(container: PodContainer) {
  const mounts = (): Mount[] => mountsOf(container);
  const onHost = (): (Mount & { hostPath: string })[] =>
    mounts().flatMap((mount) => (mount.hostPath === undefined ? [] : [{ ...mount, hostPath: mount.hostPath }]));
  const shown = ({ hostPath, writable }: { hostPath: string; writable: boolean }): string =>
    `${hostPath}:${writable ? 'rw' : 'ro'}`;
  const inside = (): Mount[] => mounts().filter(({ hostPath }) => hostPath === undefined);
  return {
    ...portFacts(container),
    'container.hostMounts': observe(() => onHost().map(shown)),
    'container.writableHostMounts': observe(() =>
      onHost()
        .filter(({ writable }) => writable)
        .map(({ hostPath }) => hostPath),
    ),
    'container.sensitiveHostMounts': observe(() =>
      onHost()
        .filter(({ hostPath }) => isSensitive(hostPath))
        .map(shown),
    ),
    'container.engineSocketMounted': observe(() => onHost().some(({ hostPath }) => holdsEngineSocket(hostPath))),
    'container.mountPropagation': observe(() => mounts().flatMap(({ propagation }) => PROPAGATION[propagation] ?? [])),
    'container.writableVolumes': observe(() =>
      inside()
        .filter(({ writable }) => writable)
        .map(({ volume }) => volume),
    ),
    'container.volumes': observe(() => inside().map(({ volume }) => volume)),
    'container.tmpfs': observe(() =>
      mounts()
        .filter(({ inMemory }) => inMemory)
        .map(({ target }) => target),
    ),
    'container.tmpfsUnsafe': { absent: 'Kubernetes has no mount options for an emptyDir' },
    'container.volumeTypes': observe(() => volumesOf(container.pod).map(({ type }) => type)),
    'container.devices': observe(() =>
      container.document
        .in('volumeDevices')
        .items()
        .map((device) => device.in('devicePath').text()),
    ),
  } satisfies Readonly<Record<string, Observation>>;
}

/** hostPath volumes of a pod, by path. */
export function hostPathsOf(pod: PodTemplate): string[] {
  return volumesOf(pod).flatMap(({ document }) => {
    const path = document.in('hostPath', 'path');
    return path.isAbsent ? [] : [path.text()];
  });
}

function volumesOf({ spec }: PodTemplate): { name: string; type: string; document: Document }[] {
  return spec
    .in('volumes')
    .items()
    .map((document) => {
      // A volume that names no kind is an emptyDir.
      const type = document.keys().find((key) => key !== 'name') ?? 'emptyDir';
      return { name: document.in('name').text(), type, document };
    });
}

function mountsOf({ pod, document }: PodContainer): Mount[] {
  const volumes = new Map(volumesOf(pod).map((volume) => [volume.name, volume]));
  return document
    .in('volumeMounts')
    .items()
    .map((mount) => {
      const name = mount.in('name').text();
      const volume = volumes.get(name);
      const type = volume?.type ?? 'persistentVolumeClaim';
      return {
        volume: name,
        type,
        target: mount.in('mountPath').text(),
        writable: !mount.in('readOnly').flagOr(false) && !NEVER_WRITABLE.includes(type),
        hostPath: type === 'hostPath' ? volume?.document.in('hostPath', 'path').text() : undefined,
        inMemory: volume?.document.in('emptyDir', 'medium').textOr('') === 'Memory' && type === 'emptyDir',
        propagation: mount.in('mountPropagation').textOr(''),
      };
    });
}

interface Port {
  readonly port: string;
  readonly hostPort: number;
  readonly hostIp: string;
}

/** Pods of the host's network publish every port that they name. */
function portFacts({ pod, document }: PodContainer) {
  const ports = (): Port[] =>
    document
      .in('ports')
      .items()
      .map((port) => {
        const inside = port.in('containerPort').integer();
        const shared = pod.spec.in('hostNetwork').flagOr(false) ? inside : 0;
        return {
          port: `${inside}/${port.in('protocol').textOr('TCP').toLowerCase()}`,
          hostPort: port.in('hostPort').integerOr(shared),
          hostIp: port.in('hostIP').textOr('') || '0.0.0.0',
        };
      });
  const published = (holds: (port: Port) => boolean): string[] =>
    ports()
      .filter((port) => port.hostPort !== 0 && holds(port))
      .map(({ hostPort }) => String(hostPort));
  return {
    'container.exposedPorts': observe(() => ports().map(({ port }) => port)),
    'container.publishedPorts': observe(() =>
      ports()
        .filter(({ hostPort }) => hostPort !== 0)
        .map(({ hostIp, hostPort, port }) => `${hostIp}:${hostPort}->${port}`),
    ),
    'container.hostPorts': observe(() => published(() => true)),
    'container.privilegedHostPorts': observe(() => published(({ hostPort }) => hostPort < FIRST_UNPRIVILEGED_PORT)),
    'container.allInterfacePorts': observe(() => published(({ hostIp }) => isAllInterfaces(hostIp))),
  };
}
