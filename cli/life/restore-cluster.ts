import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readPublicIdentity } from '../../appliance/config/index.ts';
import { NectarError } from '../../protocol/errors.ts';
import { refuseExisting } from '../home-folder.ts';
import { writeClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import type { Emission } from '../provision/kubernetes/emit-files.ts';
import { createHelm } from '../provision/kubernetes/helm.ts';
import {
  applySecrets,
  buildEmission,
  installChart,
  keepPublicHalf,
  removePrivate,
  targetOf,
  VALUES,
} from '../provision/kubernetes/init-kubernetes.ts';
import type { Kubectl } from '../provision/kubernetes/kubectl.ts';
import { openKubectl } from '../provision/kubernetes/open-kubectl.ts';
import type { ClusterPlan } from '../provision/kubernetes/plan-kubernetes.ts';
import { selectorOf } from '../provision/kubernetes/release-labels.ts';
import { gatewayNames } from '../provision/kubernetes/release-names.ts';
import { removeObjects } from '../provision/kubernetes/remove-release.ts';
import { claimOf, renderSets } from '../provision/kubernetes/rendered-sets.ts';
import { withVolumePods } from '../provision/kubernetes/volume-pods.ts';
import { homeError } from '../provision/process/home-error.ts';
import { buildAside, sweepAbandoned } from '../provision/staging-folder.ts';
import type { Terminal } from '../terminal.ts';
import { type Restored, type RestorePlace, type RestoreRequest, restoreHome } from './backup/restore-home.ts';
import { setsByRole } from './volumes/cluster-volumes.ts';
import { fillPods } from './volumes/fill-pods.ts';

export interface RestoreCluster extends RestoreRequest {
  readonly cluster: ClusterPlan['cluster'];
  readonly terminal: Pick<Terminal, 'env' | 'signal'>;
  /** Fills the folder from which the volumes are filled; absent: from the file. */
  readonly restoreInto?: (place: RestorePlace) => Promise<Restored>;
}

/** Of a home: they lie in the volumes once the node is in its cluster. */
const MOVED_FOLDERS = ['store', 'audit', 'anchor'];

/**
 * Restores a backup into a new release: first a home beside its place, verified as for a process, then from there into fresh volumes,
 * before the chart is installed on them. A failure takes away what was made, and touches nothing of a release that is there already.
 */
export async function restoreCluster(request: RestoreCluster): Promise<Restored> {
  const { home, cluster, terminal } = request;
  refuseExisting(home);
  const kubectl = openKubectl(targetOf(cluster, { nodeId: '', state: 'creating' }), terminal);
  await refusePresent(kubectl, cluster);
  await sweepAbandoned(home, 'partial');
  return buildAside(home, 'partial', async (folder) => {
    try {
      const place = { home, into: folder, names: gatewayNames(cluster) };
      const restored = await (request.restoreInto?.(place) ?? restoreHome({ ...request, ...place }));
      await moveIntoCluster(request, kubectl, folder);
      return restored;
    } catch (error) {
      throw homeError(error, home);
    }
  });
}

async function moveIntoCluster(request: RestoreCluster, kubectl: Kubectl, folder: string): Promise<void> {
  const { cluster, terminal } = request;
  const emission = await emissionOf(request, folder);
  const target = await keepPublicHalf(folder, { cluster, emission, state: 'creating' });
  try {
    await applySecrets(kubectl, emission);
    await fillRelease(kubectl, { cluster, folder, terminal });
    await removePrivate(folder);
    for (const name of MOVED_FOLDERS) await rm(join(folder, name), { recursive: true, force: true });
    await installChart(kubectl, { home: folder, target, further: cluster.values, signal: terminal.signal });
    terminal.signal.throwIfAborted();
    await writeClusterTarget(folder, { ...target, state: 'ready' });
  } catch (error) {
    const lasting = { env: terminal.env, signal: new AbortController().signal };
    const rest = { say: () => undefined, destroyKeys: async () => undefined };
    await removeObjects({ target, terminal: lasting, ...rest }).catch(() => undefined);
    throw error;
  }
}

async function emissionOf({ cluster, keyFile: named, now }: RestoreCluster, folder: string): Promise<Emission> {
  const { version: _, ...config } = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as Config;
  const keyFile = named ?? (config.keys?.keyFile || undefined);
  if (keyFile !== undefined && !existsSync(keyFile))
    throw new NectarError('CLI_FILE_UNREADABLE', { path: keyFile, reason: 'ENOENT' });
  return buildEmission({
    ...{ cluster, keyFile, config, names: [], folder, now: now() },
    identity: readPublicIdentity(folder),
    descriptor: await readFile(join(folder, 'network.json')),
  });
}

interface Config {
  readonly version?: number;
  readonly keys?: { readonly keyFile?: string };
  readonly [section: string]: unknown;
}

interface Fill {
  readonly cluster: ClusterPlan['cluster'];
  readonly folder: string;
  readonly terminal: Pick<Terminal, 'signal'>;
}

async function fillRelease(kubectl: Kubectl, { cluster, folder, terminal }: Fill): Promise<void> {
  const values = [join(folder, VALUES), ...cluster.values];
  const rendered = await renderSets(kubectl, createHelm(kubectl, terminal), { ...cluster, values });
  const items = rendered.map((set) => claimOf(set, cluster));
  await kubectl.run(['create', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  const sets = setsByRole(rendered);
  await withVolumePods(kubectl, { name: cluster, sets, write: true, running: [] }, (pods) => fillPods(pods, folder));
}

/** Two nodes of one identity would sign as one; and volumes that a release left behind are somebody's records. */
async function refusePresent(kubectl: Kubectl, { namespace, release }: ClusterPlan['cluster']): Promise<void> {
  const kinds = 'deployments,statefulsets,persistentvolumeclaims';
  const found = await kubectl.run(['get', kinds, '-l', selectorOf(release), '-o', 'name']);
  const [first] = found.split('\n').filter((line) => line.trim() !== '');
  if (first !== undefined) throw new NectarError('CLUSTER_RELEASE_PRESENT', { namespace, release, object: first });
}
