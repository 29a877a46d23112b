import type { Observation } from '../../fact-set.ts';
import { observe } from '../observe.ts';
import { type PodContainer, securityField } from './pods.ts';

const APPARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';
/** What containers have by themselves (Pod Security Standards, baseline). */
const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];

/** What keeps a container of a pod in. */
export function podConfinementFacts(container: PodContainer) {
  const { pod, document } = container;
  const own = document.in('securityContext');
  const isHost = (field: string): Observation => observe(() => pod.spec.in(field).flagOr(false));
  const capabilities = (list: string): Observation =>
    observe(() =>
      own
        .in('capabilities', list)
        .texts()
        .map((name) => name.toUpperCase().replace(/^CAP_/, '')),
    );
  return {
    ...seccompFacts(container),
    'container.uid': observe(() => securityField(container, 'runAsUser').integerOr(0)),
    'container.gid': observe(() => securityField(container, 'runAsGroup').integerOr(0)),
    'container.supplementaryGroups': observe(() => groupsOf(container)),
    'container.runAsNonRoot': observe(() => securityField(container, 'runAsNonRoot').flagOr(false)),
    'container.privileged': observe(() => own.in('privileged').flagOr(false)),
    'container.readOnlyRoot': observe(() => own.in('readOnlyRootFilesystem').flagOr(false)),
    'container.capabilitiesAdded': capabilities('add'),
    'container.capabilitiesDropped': capabilities('drop'),
    'container.allowPrivilegeEscalation': observe(() => own.in('allowPrivilegeEscalation').flagOr(true)),
    'container.noNewPrivileges': observe(() => !own.in('allowPrivilegeEscalation').flagOr(true)),
    'container.appArmor': observe(() => appArmor(container)),
    'container.selinuxOptions': observe(() => selinux(container).map(([key, value]) => `${key}:${value}`)),
    'container.selinuxOverrides': observe(() =>
      selinux(container)
        .filter(([key, value]) => isOverride(key, value))
        .map(([key, value]) => `${key}:${value}`),
    ),
    'container.procMount': observe(() => own.in('procMount').textOr('Default')),
    'container.sysctls': observe(() =>
      pod.spec
        .in('securityContext', 'sysctls')
        .items()
        .map((sysctl) => `${sysctl.in('name').text()}=${sysctl.in('value').text()}`),
    ),
    'container.hostNetwork': isHost('hostNetwork'),
    'container.hostPid': isHost('hostPID'),
    'container.hostIpc': isHost('hostIPC'),
    // A pod of the host's network has the host's name too.
    'container.hostUts': isHost('hostNetwork'),
    'container.hostUser': isHost('hostUsers'),
  };
}

function groupsOf({ pod }: PodContainer): string[] {
  const context = pod.spec.in('securityContext');
  const groups = context
    .in('supplementalGroups')
    .items()
    .map((group) => String(group.integer()));
  const shared = context.in('fsGroup');
  return shared.isAbsent ? groups : [...groups, String(shared.integer())];
}

/** A profile on a node's disk is not in the manifest: what it allows cannot be seen here. */
function seccompFacts(container: PodContainer) {
  const type = (): string => {
    if (container.document.in('securityContext', 'privileged').flagOr(false)) return 'Unconfined';
    return securityField(container, 'seccompProfile').in('type').textOr('Unconfined');
  };
  const unseen = (otherwise: Observation): Observation => {
    const found = observe(type);
    if ('error' in found) return found;
    return 'value' in found && found.value === 'Localhost' ? { error: 'the profile lies on the nodes' } : otherwise;
  };
  return {
    'container.seccomp': observe(() => {
      const names: Readonly<Record<string, string>> = {
        RuntimeDefault: 'default',
        Localhost: 'custom',
        Unconfined: 'unconfined',
      };
      const name = names[type()];
      if (name === undefined) throw new Error(`the seccomp profile is of the unknown type ${type()}`);
      return name;
    }),
    'container.seccompDefaultAction': unseen({ value: '' }),
    'container.seccompCalls': unseen({ absent: 'it has no profile of its own' }),
  };
}

function appArmor(container: PodContainer): string {
  const profile = securityField(container, 'appArmorProfile');
  const type = profile.in('type').textOr('');
  if (type === 'Localhost') return profile.in('localhostProfile').text();
  if (type !== '') return type === 'Unconfined' ? 'unconfined' : 'runtime/default';
  return (container.pod.annotations.get(APPARMOR_ANNOTATION + container.name) ?? '').replace(/^localhost\//, '');
}

function selinux(container: PodContainer): [string, string][] {
  return securityField(container, 'seLinuxOptions')
    .entries()
    .map(([key, value]) => [key, value.text()]);
}

function isOverride(key: string, value: string): boolean {
  if (key === 'type') return !SELINUX_TYPES.includes(value);
  return (key === 'user' || key === 'role') && value !== '';
}
