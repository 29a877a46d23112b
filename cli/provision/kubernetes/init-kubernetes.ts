import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { PublicIdentity } from '../../../appliance/config/index.ts';
import { showWork } from '../../render/work.ts';
import { VERSION } from '../../version.ts';
import { fillHome, refuseInside } from '../process/create-home.ts';
import { homeRequest, type InitRequest, type InitResult, openDescriptor } from '../process/init-node.ts';
import { overwriteAndRemove } from '../process/overwrite.ts';
import { buildAside, sweepAbandoned } from '../staging-folder.ts';
import { bringUpCluster } from './bring-up.ts';
import { type ClusterTarget, requireClusterTarget, writeClusterTarget } from './cluster-target.ts';
import { createCrossingPairs } from './crossing-pairs.ts';
import { type Emission, emitFiles } from './emit-files.ts';
import { createHelm } from './helm.ts';
import type { Kubectl } from './kubectl.ts';
import { namespaceManifest, secretManifests } from './node-secrets.ts';
import { openKubectl } from './open-kubectl.ts';
import type { ClusterPlan } from './plan-kubernetes.ts';
import { gatewayNames, instanceOf } from './release-names.ts';
import { releaseValues } from './release-values.ts';
import { toYaml } from './yaml.ts';

export interface ClusterInitRequest extends InitRequest {
  readonly plan: ClusterPlan;
  /** Write files for somebody else to apply, and touch no cluster. */
  readonly emitTo: string | undefined;
}

/** The private halves lie in Secrets once these are gone from here. */
const PRIVATE_PATHS = ['keys.json', 'tokens.json', join('tls', 'server.key'), join('tls', 'server.crt')];
/** Of the pairs by which the roles know one another. */
export const CROSSING_DAYS = 365;
/** HOME/kubernetes/values.yaml: what helm was given. */
export const VALUES = join('kubernetes', 'values.yaml');

/**
 * `init --target kubernetes`. The home is made beside its final place; its private part goes into files or into the cluster, and only
 * the public part becomes the home. An interruption leaves no home; Secrets that the cluster has already are written again.
 */
export async function initKubernetes(request: ClusterInitRequest): Promise<InitResult> {
  const { plan, terminal, output } = request;
  const { home, keyFile } = plan;
  if (keyFile !== undefined) refuseInside(keyFile, home);
  if (request.emitTo !== undefined) refuseInside(request.emitTo, home);
  const descriptor = await openDescriptor(request);
  await sweepAbandoned(home, 'partial');
  const identity = await buildAside(home, 'partial', async (folder) => {
    const made = await showWork(terminal, output, 'making keys and certificates', (say) =>
      fillHome(folder, ownRequest(request, descriptor.bytes), (step) => say(`making the ${step}`)),
    );
    const emission = await emissionOf(request, folder, { identity: made, descriptor: descriptor.bytes });
    await handOver(request, folder, emission);
    terminal.signal.throwIfAborted();
    await removePrivate(folder);
    return made;
  });
  if (request.emitTo === undefined) await finishClusterInit(request);
  const { nodeId, peerId } = identity;
  const gateway = `${plan.cluster.namespace}/${plan.cluster.release}`;
  return { home, gateway, nodeId, peerId, network: descriptor.name };
}

/** From the Secrets in the cluster to the node that runs; also what is left after an interruption. */
export async function finishClusterInit(
  request: Pick<ClusterInitRequest, 'plan' | 'terminal' | 'output' | 'timeoutMs' | 'passphrase'>,
): Promise<void> {
  const { plan, terminal, output, timeoutMs, passphrase } = request;
  const { home } = plan;
  const target = requireClusterTarget(home);
  const kubectl = openKubectl(target, terminal);
  await showWork(terminal, output, 'installing the chart', () =>
    installChart(kubectl, { home, target, further: plan.cluster.values, signal: terminal.signal }),
  );
  await bringUpCluster({
    ...{ home, terminal, output, timeoutMs },
    passphrase: passphrase && new Uint8Array(passphrase),
  });
  await writeClusterTarget(home, { ...requireClusterTarget(home), state: 'ready' });
}

export interface Install {
  readonly home: string;
  readonly target: ClusterTarget;
  /** Further files of values. */
  readonly further: readonly string[];
  readonly signal: AbortSignal;
}

/** helm's own waiting says nothing of why: the node is asked afterwards. */
export async function installChart(kubectl: Kubectl, { home, target, further, signal }: Install): Promise<void> {
  const values = [join(home, VALUES), ...further].map((file) => `--values=${file}`);
  await createHelm(kubectl, { signal }).run(['upgrade', '--install', target.release, target.chart, ...values]);
}

function ownRequest(request: ClusterInitRequest, descriptor: Uint8Array): ReturnType<typeof homeRequest> {
  const own = homeRequest(request, descriptor);
  return { ...own, names: [...new Set([...gatewayNames(request.plan.cluster), ...request.names])] };
}

function emissionOf(
  { plan, names, terminal }: ClusterInitRequest,
  folder: string,
  { identity, descriptor }: { readonly identity: PublicIdentity; readonly descriptor: Uint8Array },
): Promise<Emission> {
  const { cluster, keyFile, config } = plan;
  return buildEmission({ cluster, keyFile, config, names, folder, identity, descriptor, now: terminal.now() });
}

export interface EmissionParts extends Pick<ClusterPlan, 'cluster' | 'config' | 'keyFile'> {
  /** Further names of the API's certificate. */
  readonly names: readonly string[];
  /** A home with its private halves. */
  readonly folder: string;
  readonly identity: PublicIdentity;
  readonly descriptor: Uint8Array;
  readonly now: number;
}

/** Secrets and values of a node whose home lies whole in a folder, with new pairs for its crossings. */
export async function buildEmission(parts: EmissionParts): Promise<Emission> {
  const { cluster, keyFile, config, names, folder, identity, descriptor, now } = parts;
  const made = await createCrossingPairs({ instance: instanceOf(cluster), now, days: CROSSING_DAYS });
  const secrets = await secretManifests(cluster, { home: folder, keyFile, crossings: made.pairs });
  const values = releaseValues({
    ...{ name: cluster, config, registry: cluster.registry, storageClass: cluster.storageClass },
    descriptor: Buffer.from(descriptor).toString('utf8'),
    publicIdentity: JSON.stringify(identity),
    hasRootKey: keyFile !== undefined,
    hostNames: names,
    imageTag: VERSION,
    announce: [],
  });
  const manifests = [namespaceManifest(cluster), ...secrets];
  return { name: cluster, manifests, values, authority: made.authority, nodeId: identity.nodeId, chart: cluster.chart };
}

/** Files, or objects of the cluster; and what the home keeps of it. */
async function handOver(request: ClusterInitRequest, folder: string, emission: Emission): Promise<void> {
  const { plan, emitTo, terminal, output } = request;
  const state = emitTo === undefined ? 'creating' : 'emitted';
  const target = await keepPublicHalf(folder, { cluster: plan.cluster, emission, state });
  if (emitTo !== undefined) {
    await emitFiles(resolve(terminal.workingFolder, emitTo), emission);
    return;
  }
  const kubectl = openKubectl(target, terminal);
  await showWork(terminal, output, 'writing the Secrets', () => applySecrets(kubectl, emission));
}

/** What a home of a node in a cluster has beside what is public: where it is, and what helm is given. */
export async function keepPublicHalf(
  folder: string,
  {
    cluster,
    emission,
    state,
  }: {
    readonly cluster: ClusterPlan['cluster'];
    readonly emission: Emission;
    readonly state: ClusterTarget['state'];
  },
): Promise<ClusterTarget> {
  const target = targetOf(cluster, { nodeId: emission.nodeId, state });
  await writeClusterTarget(folder, target);
  const { mkdir, writeFile } = await import('node:fs/promises');
  await mkdir(join(folder, 'kubernetes'), { mode: 0o700 });
  await writeFile(join(folder, VALUES), toYaml(emission.values), { mode: 0o600 });
  return target;
}

export function targetOf(
  { namespace, release, chart, context, kubeconfig }: ClusterPlan['cluster'],
  { nodeId, state }: Pick<ClusterTarget, 'nodeId' | 'state'>,
): ClusterTarget {
  return {
    ...{ version: 1, target: 'kubernetes', state },
    ...{ namespace, release, chart, nodeId, programVersion: VERSION },
    ...(context !== undefined && { context }),
    ...(kubeconfig !== undefined && { kubeconfig }),
  };
}

/** By the server's own apply: the client's leaves a copy of the data in an annotation. What is there is not taken over. */
export async function applySecrets(
  kubectl: Kubectl,
  { manifests, name }: Pick<Emission, 'manifests' | 'name'>,
): Promise<void> {
  const [namespace, ...secrets] = manifests;
  const found = await kubectl.run(['get', 'namespace', name.namespace, '--ignore-not-found', '-o', 'name']);
  if (found.trim() === '') await kubectl.run(['create', '-f', '-'], { input: JSON.stringify(namespace?.object) });
  const items = secrets.map(({ object }) => object);
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await kubectl.run(['apply', '--server-side', '--field-manager=nectar-byon', '-f', '-'], { input });
}

export async function removePrivate(folder: string): Promise<void> {
  const { readdir } = await import('node:fs/promises');
  const sealed = (await readdir(join(folder, 'identity'))).filter((file) => file.endsWith('.sealed'));
  for (const path of [...PRIVATE_PATHS, ...sealed.map((file) => join('identity', file))])
    await overwriteAndRemove(join(folder, path));
  await rm(join(folder, 'logs'), { recursive: true, force: true });
}
