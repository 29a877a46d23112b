import type { Observation, Subject } from '../../fact-set.ts';
import type { Collector } from '../collector.ts';
import { type Document, openDocument } from '../document.ts';
import { type EngineApi, type EngineNode, filtered } from '../engine-api.ts';
import { readEngineKind } from '../engine-kind.ts';
import { type FactsOf, forEach, observe, unseen } from '../observe.ts';
import { confinementFacts } from './confinement.ts';
import { driftOf } from './drift.ts';
import type { ContainerContext, Inspected } from './inspected.ts';
import { limitFacts } from './limits.ts';
import { networkFacts } from './network.ts';
import { mountTargets, placeFacts } from './places.ts';
import { programFacts } from './program.ts';

const MAX_WRITTEN_PATHS = 64;
const MAX_DRIFT = 64;
const MAX_DRIFT_LENGTH = 200;
/** Files that an engine itself puts into every container. */
const ENGINE_MADE =
  /^\/(dev|proc|sys|\.dockerenv|etc|etc\/(hosts|hostname|resolv\.conf|mtab|passwd|group)|run|run\/(\.containerenv|secrets))$/;

/** Facts that other collectors add: a process list is seen from inside, guests by looking at them. */
export type AddedElsewhere = 'container.sshServer' | 'container.namespaceGuests';

export interface ContainersOptions {
  readonly api: EngineApi;
  readonly node: EngineNode;
  readonly context: ContainerContext;
}

/** A container of a node, as far as its name or its label says that it is one. */
export interface FoundContainer {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly running: boolean;
}

/** The containers of a node, as their engine has them. */
export function createContainersCollector({ api, node, context }: ContainersOptions): Collector {
  return {
    name: 'containers',
    kinds: ['container'],
    adds: ['node.rolesMissing'],
    privilege: "read access to the engine's API",
    async collect(signal) {
      const engine = await readEngineKind(api, signal);
      const found = await findContainers(api, node, signal);
      if (found.length === 0) throw new Error('the engine has no container of this node');
      const missing = node.roles.filter((role) => !found.some((container) => container.role === role));
      const subjects: Subject[] = [{ kind: 'node', name: 'node', facts: { 'node.rolesMissing': { value: missing } } }];
      for (const { id, name, role } of found) {
        const path = `/containers/${id}/json`;
        const document = openDocument(await api.getJson(path, signal));
        if (document.isAbsent) throw new Error(`${name} was removed while it was looked at`);
        const libpod =
          engine === 'podman' ? openDocument(await api.getJson(`/v4.0.0/libpod${path}`, signal)) : undefined;
        const own = libpod === undefined ? {} : { libpod };
        const facts = containerFacts({ engine, document, node, role, context, ...own });
        const written = await writtenPaths(api, { id, document }, signal);
        const { 'container.procMount': hidden, ...others } = facts;
        // Podman does not tell: whoever looks from inside does, unless this container runs no process to look from.
        const isLeft = engine === 'podman' && 'error' in hidden && document.in('State', 'Running').flagOr(false);
        const all = { ...others, ...(!isLeft && { 'container.procMount': hidden }) };
        subjects.push({ kind: 'container', name, facts: { ...all, 'container.writtenPaths': written } });
      }
      return subjects;
    },
  };
}

/** By label, and by name as well: a container that lost its labels is still one of the node. Helpers come and go: they are not. */
export async function findContainers(api: EngineApi, node: EngineNode, signal: AbortSignal): Promise<FoundContainer[]> {
  const list = (filters: Readonly<Record<string, readonly string[]>>): Promise<unknown> =>
    api.getJson(filtered('/containers/json?all=true', filters), signal);
  const answers = [
    await list({ label: [`${node.labels.node}=${node.nodeId}`] }),
    await list({ name: node.roles.map((role) => `^/?${node.prefix}${role}$`) }),
  ];
  const found = new Map<string, FoundContainer>();
  for (const item of answers.flatMap((answer) => openDocument(answer).items())) {
    const name = (item.in('Names').texts()[0] ?? '').replace(/^\//, '');
    const named = name.startsWith(node.prefix) ? name.slice(node.prefix.length) : '';
    const role = item.in('Labels', node.labels.role).textOr('') || named;
    const id = item.in('Id').text();
    if (!node.roles.includes(role) || !/^[0-9a-f]+$/.test(id)) continue;
    found.set(id, { id, name, role, running: item.in('State').text() === 'running' });
  }
  return [...found.values()].sort((a, b) => node.roles.indexOf(a.role) - node.roles.indexOf(b.role));
}

/** Pure. */
export function containerFacts(container: Inspected): FactsOf<'container', AddedElsewhere | 'container.writtenPaths'> {
  return {
    ...programFacts(container),
    ...confinementFacts(container),
    ...networkFacts(container),
    ...placeFacts(container),
    ...limitFacts(container),
    'container.drift': observe(() => shortened(driftOf(container))),
    ...forEach(
      [
        'container.automountServiceAccountToken',
        'container.allowPrivilegeEscalation',
        'container.runAsNonRoot',
        'container.volumeTypes',
        'container.probeHosts',
        'container.selinuxOverrides',
        'container.hostPorts',
        'container.memoryRequestSet',
        'container.secretsInEnvFrom',
        'container.lifecycleExec',
      ],
      { absent: 'only a container of Kubernetes has it' },
    ),
  };
}

/** Somebody who adds a thousand hosts has made one point. */
function shortened(drift: readonly string[]): string[] {
  const rest = drift.length - MAX_DRIFT;
  const shown = drift.slice(0, MAX_DRIFT).map((difference) => difference.slice(0, MAX_DRIFT_LENGTH));
  return rest > 0 ? [...shown, `and ${rest} more`] : shown;
}

async function writtenPaths(
  api: EngineApi,
  { id, document }: { readonly id: string; readonly document: Document },
  signal: AbortSignal,
): Promise<Observation> {
  try {
    const changes = await api.getJson(`/containers/${id}/changes`, signal);
    return observe(() => changedPaths(openDocument(changes), mountTargets(document)));
  } catch (error) {
    signal.throwIfAborted();
    return unseen(error);
  }
}

/** Without what the engine makes to mount things on. */
function changedPaths(changes: Document, targets: readonly string[]): string[] {
  return changes
    .items()
    .map((change) => change.in('Path').text())
    .filter((path) => !ENGINE_MADE.test(path) && !targets.some((to) => to === path || to.startsWith(`${path}/`)))
    .slice(0, MAX_WRITTEN_PATHS);
}
