import { PROVIDERS } from '../../appliance/keys/index.ts';
import type { Check } from '../preflight.ts';
import type { DockerPlan } from '../provision/docker/plan-docker.ts';
import type { ClusterPlan } from '../provision/kubernetes/plan-kubernetes.ts';
import type { InitResult } from '../provision/process/init-node.ts';
import type { HomePlan } from '../provision/process/plan-home.ts';
import { renderChecks } from './checks.ts';
import type { Output } from './output.ts';
import { renderFacts } from './table.ts';

type AnyPlan = HomePlan | DockerPlan | ClusterPlan;

function renderObjects(plan: AnyPlan, { style }: Pick<Output, 'style'>): string[] {
  if (!('objects' in plan)) return [];
  const place = 'cluster' in plan ? `In the namespace ${plan.cluster.namespace}` : `On the engine ${plan.engine}`;
  return ['', style('bold', place), renderFacts(plan.objects)];
}

function titleOf(unlock: string): string {
  return PROVIDERS.find(({ name }) => name === unlock)?.title ?? unlock;
}

const portLine = ([port, what]: readonly [number, string]): [string, string] => [String(port), what];

/** What `init --plan` shows. */
export function renderPlan(plan: AnyPlan, checks: readonly Check[], output: Pick<Output, 'style'>): string {
  const { style } = output;
  return [
    style('bold', `A node in ${plan.home}, on the network ${plan.network}, opened by ${titleOf(plan.unlock)}`),
    '',
    style('bold', 'Files'),
    renderFacts(plan.files),
    ...(plan.ports.length === 0 ? [] : ['', style('bold', 'Ports'), renderFacts(plan.ports.map(portLine))]),
    ...('cluster' in plan ? [] : ['']),
    ...(plan.processes.length === 0 ? [] : [style('bold', 'Processes'), ...plan.processes]),
    ...renderObjects(plan, output),
    '',
    style('bold', 'Machine'),
    renderChecks(checks, output),
    '',
    'Nothing was changed.',
  ].join('\n');
}

/** What to do after `init`. */
export function renderNext({ home, gateway, nodeId, peerId, network }: InitResult, usualHome: boolean): string {
  const where = usualHome ? '' : ` --home ${home}`;
  const facts = renderFacts([
    ['home', home],
    ['gateway', gateway],
    ['node id', nodeId],
    ['peer id', peerId],
    ['network', network],
  ]);
  return `${facts}

The node runs. Next:
  nectar-byon put FILE...${where}
  nectar-byon ls${where}
  nectar-byon status${where}
  nectar-byon audit verify${where}`;
}
