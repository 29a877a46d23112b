import { looksLikeSecret, secretInArguments } from '../../secret-shapes.ts';
import { runsShell } from '../container/program.ts';
import type { Document } from '../document.ts';
import { forEach, observe } from '../observe.ts';
import type { PodContainer } from './pods.ts';
import { parseQuantity } from './quantity.ts';

const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'];
const HOOKS = ['postStart', 'preStop'];
const LABELS = ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/component'];
const RESTARTS: Readonly<Record<string, string>> = { Always: 'always', OnFailure: 'on-failure', Never: 'no' };

/** What a container of a pod runs, and how much of its machine it may take. */
export function podProgramFacts(container: PodContainer) {
  const { pod, document, kind } = container;
  const environment = document.in('env');
  return {
    ...limitFacts(document),
    ...hookFacts(document),
    'container.role': { value: pod.role },
    'container.platform': { value: 'kubernetes' },
    'container.image': observe(() => document.in('image').text()),
    'container.imagePinned': observe(() => /@sha256:[0-9a-f]{64}$/.test(document.in('image').text())),
    'container.healthcheck':
      kind === 'container' || kind === 'sidecar'
        ? observe(() => !document.in('livenessProbe').isAbsent)
        : { absent: 'it ends before the pod runs, or is for a person to look' },
    'container.restartPolicy': observe(() => {
      const policy = kind === 'sidecar' ? 'Always' : pod.spec.in('restartPolicy').textOr('Always');
      const found = RESTARTS[policy];
      if (found === undefined) throw new Error(`${policy} is no restart policy`);
      return found;
    }),
    'container.restartMaxRetries': { value: 0 },
    'container.environment': observe(() => environment.items().map((entry) => entry.in('name').text())),
    'container.secretsInEnvironment': observe(() =>
      environment
        .items()
        .filter((entry) => looksLikeSecret(entry.in('name').text(), entry.in('value').textOr('')))
        .map((entry) => entry.in('name').text()),
    ),
    'container.secretsInEnvFrom': observe(
      () =>
        document
          .in('envFrom')
          .items()
          .some((source) => !source.in('secretRef').isAbsent) ||
        environment.items().some((entry) => !entry.in('valueFrom', 'secretKeyRef').isAbsent),
    ),
    'container.secretsInCommand': observe(() =>
      secretInArguments([...document.in('command').texts(), ...document.in('args').texts()], looksLikeSecret),
    ),
    'container.labelled': observe(() => LABELS.every((label) => pod.labels.has(label))),
    ...forEach(['container.running', 'container.health', 'container.sshServer', 'container.writtenPaths'] as const, {
      absent: 'it is rendered, and does not run',
    }),
  };
}

function limitFacts(document: Document) {
  const resources = document.in('resources');
  const quantity = (list: string, name: string): number => {
    const found = resources.in(list, name);
    return found.isAbsent ? 0 : parseQuantity(found.raw());
  };
  // What has a limit and no request requests its limit.
  const isRequested = (name: string): boolean => quantity('requests', name) > 0 || quantity('limits', name) > 0;
  return {
    'container.memoryLimitBytes': observe(() => Math.floor(quantity('limits', 'memory'))),
    'container.memoryReservationBytes': observe(() => Math.floor(quantity('requests', 'memory'))),
    'container.cpuMillis': observe(() => Math.round(1000 * quantity('limits', 'cpu'))),
    'container.memoryRequestSet': observe(() => isRequested('memory') && isRequested('cpu')),
    'container.oomKillDisabled': { value: false },
  };
}

function hookFacts(document: Document) {
  const probes = PROBES.map((name) => document.in(name));
  const hooks = HOOKS.map((name) => document.in('lifecycle', name));
  const isShell = (action: Document): boolean => runsShell(action.in('exec', 'command').texts());
  return {
    'container.healthcheckShell': observe(() => probes.some(isShell)),
    'container.lifecycleExec': observe(() => hooks.some(isShell)),
    'container.probeHosts': observe(() =>
      [...probes, ...hooks].flatMap((action) =>
        ['httpGet', 'tcpSocket'].map((way) => action.in(way, 'host').textOr('')).filter((host) => host !== ''),
      ),
    ),
  };
}
