import type { Observation } from '../../fact-set.ts';
import type { FactIdOf } from '../../facts/index.ts';
import { observe } from '../observe.ts';
import { type Inspected, ownDocument, securityOptions } from './inspected.ts';
import { seccompFacts } from './seccomp.ts';

type Confinement = Extract<
  FactIdOf<'container'>,
  | `container.${'uid' | 'gid' | 'supplementaryGroups' | 'privileged' | 'readOnlyRoot' | 'capabilitiesAdded'}`
  | `container.${'capabilitiesDropped' | 'noNewPrivileges' | 'appArmor' | 'selinuxOptions' | 'procMount' | 'sysctls'}`
  | `container.${'seccomp' | 'seccompDefaultAction' | 'seccompCalls'}`
  | `container.${'hostPid' | 'hostIpc' | 'hostUts' | 'hostUser' | 'hostCgroup' | 'cgroupParent' | 'devices' | 'init'}`
>;

/** What keeps a container in: its user, its capabilities, its namespaces, the kernel's filters. */
export function confinementFacts(container: Inspected): Record<Confinement, Observation> {
  const { document } = container;
  const host = document.in('HostConfig');
  return {
    ...seccompFacts(container),
    ...namespaceFacts(container),
    'container.uid': observe(() => userOf(document.in('Config', 'User').text()).uid),
    'container.gid': observe(() => userOf(document.in('Config', 'User').text()).gid),
    'container.supplementaryGroups': observe(() => host.in('GroupAdd').texts()),
    'container.privileged': observe(() => host.in('Privileged').flag()),
    'container.readOnlyRoot': observe(() => host.in('ReadonlyRootfs').flag()),
    'container.capabilitiesAdded': observe(() => host.in('CapAdd').texts().map(capability)),
    'container.capabilitiesDropped': observe(() => dropped(container)),
    'container.noNewPrivileges': observe(() => noNewPrivileges(container)),
    'container.appArmor': observe(() => document.in('AppArmorProfile').textOr('')),
    'container.selinuxOptions': observe(() => valuesOf(container, 'label')),
    'container.procMount': observe(() => procMount(container)),
    'container.sysctls': observe(() =>
      host
        .in('Sysctls')
        .entries()
        .map(([name, value]) => `${name}=${value.text()}`),
    ),
    'container.devices': observe(() => [
      ...host
        .in('Devices')
        .items()
        .map((device) => device.in('PathOnHost').text()),
      ...host
        .in('DeviceRequests')
        .items()
        .map((request) => `driver ${request.in('Driver').textOr('') || 'any'}`),
    ]),
    'container.init': observe(() => hasInit(container)),
  };
}

/** Podman lists what is left to drop after the drop of all, and leaves no bounding set. */
function dropped(container: Inspected): string[] {
  const names = container.document.in('HostConfig', 'CapDrop').texts().map(capability);
  if (container.engine === 'docker') return names;
  return ownDocument(container).in('BoundingCaps').texts().length === 0 ? ['ALL'] : names;
}

/** Podman leaves it out where there is none. */
function hasInit(container: Inspected): boolean {
  const init = ownDocument(container).in('HostConfig', 'Init');
  if (init.isAbsent && container.engine === 'docker')
    throw new Error('it does not say, and the default of the daemon is not shown');
  return init.flagOr(false);
}

function namespaceFacts(container: Inspected) {
  const host = container.document.in('HostConfig');
  const isHost = (...names: readonly string[]): Observation =>
    observe(() => names.some((name) => host.in(name).textOr('') === 'host'));
  return {
    'container.hostPid': isHost('PidMode'),
    'container.hostIpc': isHost('IpcMode'),
    'container.hostUts': isHost('UTSMode'),
    'container.hostUser': isHost('UsernsMode'),
    // Both write down which default they took; an older Docker knows only the host's.
    'container.hostCgroup': observe(() => {
      const field = container.engine === 'docker' ? 'CgroupnsMode' : 'CgroupMode';
      const mode = ownDocument(container).in('HostConfig', field).textOr('');
      return mode === '' || mode === 'host';
    }),
    'container.cgroupParent': observe(() => host.in('CgroupParent').textOr('')),
  };
}

/** `UID:GID` in numbers. Names mean what the image says, which the engine does not tell; but root is root everywhere. */
function userOf(user: string): { readonly uid: number; readonly gid: number } {
  const [name = '', group] = user.split(':');
  return {
    get uid() {
      return idOf(name);
    },
    get gid() {
      if (group === undefined && idOf(name) !== 0)
        throw new Error(`the user ${user} names no group: its image decides`);
      return idOf(group ?? '');
    },
  };
}

function idOf(name: string): number {
  if (name === '' || name === 'root') return 0;
  if (!/^\d{1,10}$/.test(name)) throw new Error(`${name} is a name: only its image knows the number`);
  return Number(name);
}

function capability(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, '');
}

function noNewPrivileges(container: Inspected): boolean {
  const option = securityOptions(container).find(({ name }) => name === 'no-new-privileges');
  return option !== undefined && (option.value === '' || option.value === 'true');
}

function valuesOf(container: Inspected, name: string): string[] {
  return securityOptions(container).flatMap((option) => (option.name === name ? [option.value] : []));
}

/** Which paths of /proc are hidden: Docker lists them, none for `systempaths=unconfined`. */
function procMount({ document, engine }: Inspected): 'Default' | 'Unmasked' {
  const host = document.in('HostConfig');
  if (host.in('Privileged').flag()) return 'Unmasked';
  if (engine === 'podman') throw new Error('Podman does not tell which paths it hides');
  if (host.in('MaskedPaths').isAbsent) throw new Error('the engine does not tell which paths it hides');
  return host.in('MaskedPaths').items().length === 0 ? 'Unmasked' : 'Default';
}
