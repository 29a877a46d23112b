import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NectarError } from '../../../protocol/errors.ts';
import type { Terminal } from '../../terminal.ts';
import { type HomePlan, type InitAnswers, planHome } from '../process/plan-home.ts';
import { NAME_PATTERN } from './cluster-target.ts';
import { CLUSTER_ROLES } from './release-labels.ts';
import { fullName, gatewayNames, secretNames } from './release-names.ts';

/** What the command line says of the cluster. */
export interface ClusterChoice {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly namespace: string;
  readonly release: string;
  readonly chart: string | undefined;
  readonly registry: string | undefined;
  readonly storageClass: string | undefined;
  /** Further values of the site, for helm. */
  readonly values: readonly string[];
}

/** Everything that `init --target kubernetes` would make. */
export interface ClusterPlan extends HomePlan {
  readonly cluster: ClusterChoice & { readonly chart: string };
  /** By their place: namespace, Secret, workload. */
  readonly objects: readonly (readonly [name: string, what: string])[];
}

const GATEWAY_PORT = 8443;
const P2P_PORT = 4640;

/** Computing it changes nothing. @throws NectarError CLI_USAGE */
export async function planKubernetes(
  answers: InitAnswers,
  choice: ClusterChoice,
  terminal: Terminal,
): Promise<ClusterPlan> {
  if (answers.network === 'devnet')
    refuse('a devnet listens on this machine, where no pod reaches it: name a descriptor with --network FILE');
  if (answers.unlock !== 'file' && answers.unlock !== 'passphrase')
    refuse(`${answers.unlock} is of one machine, and pods move: --unlock file or passphrase`);
  const cluster = placeOf(choice);
  const plan = await planHome({ ...answers, port: GATEWAY_PORT, p2pPort: P2P_PORT }, terminal);
  const { home } = plan;
  const kept = ['config.json', 'network.json', 'identity/', 'tls/', 'client/token'];
  return {
    ...plan,
    files: [
      [join(home, 'target.json'), 'the context, the namespace and the release'],
      ...plan.files.filter(([path]) => !path.startsWith(`${home}/`) || kept.some((end) => path === join(home, end))),
    ],
    ports: [],
    processes: [],
    cluster,
    objects: plannedObjects(choice, plan.keyFile !== undefined),
  };
}

/** Where a release is to be, with the chart that it comes from. @throws NectarError CLI_USAGE */
export function placeOf(choice: ClusterChoice): ClusterPlan['cluster'] {
  for (const name of [choice.namespace, choice.release])
    if (!new RegExp(NAME_PATTERN).test(name)) refuse(`${name} is no name of a namespace or release`);
  return { ...choice, chart: choice.chart ?? shippedChart() };
}

/** In the clone; in the published package beside the bundle. */
const CHARTS = ['../../../charts/nectar-byon', './charts/nectar-byon'] as const;

/** The chart that this version of the program comes with. `from` is the module's own place. */
export function shippedChart(from: string = import.meta.url): string {
  const found = CHARTS.map((chart) => fileURLToPath(new URL(chart, from))).find((path) =>
    existsSync(join(path, 'Chart.yaml')),
  );
  return found ?? refuse('this installation has no chart: name one with --chart');
}

function plannedObjects(choice: ClusterChoice, hasRootKey: boolean): [string, string][] {
  const names = secretNames(choice);
  const full = fullName(choice);
  return [
    [choice.namespace, 'namespace, Pod Security Standard restricted, where it is not there yet'],
    ...(hasRootKey ? [[names.rootKey, 'Secret: the key that opens the node'] as [string, string]] : []),
    [names.identity, 'Secret: sealed keys and identities, taken over by the store'],
    [names.gatewayTls, `Secret: certificate of the API, for ${gatewayNames(choice)[0]} and what --name says`],
    ...Object.values(names.crossings).map((name): [string, string] => [name, 'Secret: a role at its crossings']),
    [`${full}-gateway`, 'Deployment, two replicas'],
    ...CLUSTER_ROLES.filter((role) => role !== 'gateway').map((role): [string, string] => [
      `${full}-${role}`,
      'StatefulSet, one volume',
    ]),
  ];
}

function refuse(problem: string): never {
  throw new NectarError('CLI_USAGE', { problem });
}
