import type { Observation } from '../../fact-set.ts';
import { openDocument } from '../document.ts';
import { forEach, observe, unseen } from '../observe.ts';
import type { KubeObject } from './manifests.ts';
import { containersOf, podsOf } from './pods.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const COMPONENT = 'component';
const API_SERVER = 'kube-apiserver';
const SYSTEM_NAMESPACE = 'kube-system';
const FLAG_FACTS = [
  'cluster.authorizationModes',
  'cluster.admissionPlugins',
  'cluster.encryptsSecrets',
  'cluster.auditLog',
] as const;

/** Flags of an API server that runs as a pod of the cluster. Those of a provider's are not to be seen, which is said. */
export function flagFacts(pods: readonly KubeObject[] | Error): Record<(typeof FLAG_FACTS)[number], Observation> {
  if (pods instanceof Error) return forEach(FLAG_FACTS, unseen(pods));
  const servers = podsOf(
    pods.filter(({ namespace, labels }) => namespace === SYSTEM_NAMESPACE && labels.get(COMPONENT) === API_SERVER),
  );
  const flags = servers.map((pod) =>
    containersOf(pod).flatMap(({ document }) => [...document.in('command').texts(), ...document.in('args').texts()]),
  );
  const [first] = flags;
  if (first === undefined)
    return forEach(FLAG_FACTS, { absent: 'the API server is no pod of the cluster: ask who runs it for its flags' });
  const valuesOf = (name: string): string[] =>
    first
      .filter((flag) => flag.startsWith(`--${name}=`))
      .flatMap((flag) => flag.slice(name.length + 3).split(','))
      .filter((value) => value !== '');
  const everyHas = (...names: string[]): boolean =>
    flags.every((own) => own.some((flag) => names.some((name) => flag.startsWith(`--${name}=`))));
  return {
    // What an API server without the flag does.
    'cluster.authorizationModes': observe(() => orElse(valuesOf('authorization-mode'), ['AlwaysAllow'])),
    'cluster.admissionPlugins': observe(() => valuesOf('enable-admission-plugins')),
    'cluster.encryptsSecrets': observe(() => everyHas('encryption-provider-config')),
    'cluster.auditLog': observe(() => everyHas('audit-log-path', 'audit-webhook-config-file')),
  };
}

function orElse(values: readonly string[], otherwise: readonly string[]): readonly string[] {
  return values.length > 0 ? values : otherwise;
}

/** From the answer of /version. */
export function versionFacts(
  answer: unknown,
  now: number,
): Record<'cluster.version' | 'cluster.buildDays', Observation> {
  if (answer instanceof Error) return forEach(['cluster.version', 'cluster.buildDays'] as const, unseen(answer));
  const document = openDocument(answer, '/version');
  return {
    'cluster.version': observe(() => document.in('gitVersion').text()),
    'cluster.buildDays': observe(() => {
      const built = Date.parse(document.in('buildDate').text());
      // A build that says no date says 1970.
      if (Number.isNaN(built) || built <= 0) throw new Error('the API server does not say when it was built');
      return Math.max(0, Math.floor((now - built) / DAY_MS));
    }),
  };
}

const KUBELET_FACTS = [
  'cluster.kubeletsAnonymous',
  'cluster.kubeletsUnauthorized',
  'cluster.kubeletsReadOnlyPort',
] as const;

/** From the configuration that each kubelet shows at /configz, by node. */
export function kubeletFacts(
  configurations: ReadonlyMap<string, unknown> | Error,
): Record<(typeof KUBELET_FACTS)[number], Observation> {
  if (configurations instanceof Error) return forEach(KUBELET_FACTS, unseen(configurations));
  const kubelets = [...configurations].map(([node, answer]) => ({
    node,
    config: openDocument(answer, `kubelet of ${node}`).in('kubeletconfig'),
  }));
  type Kubelet = (typeof kubelets)[number];
  const nodes = (holds: (config: Kubelet['config']) => boolean): string[] =>
    kubelets.filter(({ config }) => holds(config)).map(({ node }) => node);
  return {
    'cluster.kubeletsAnonymous': observe(() =>
      nodes((config) => config.in('authentication', 'anonymous', 'enabled').flagOr(false)),
    ),
    'cluster.kubeletsUnauthorized': observe(() =>
      nodes((config) => config.in('authorization', 'mode').textOr('Webhook') !== 'Webhook'),
    ),
    'cluster.kubeletsReadOnlyPort': observe(() => nodes((config) => config.in('readOnlyPort').integerOr(0) !== 0)),
  };
}
