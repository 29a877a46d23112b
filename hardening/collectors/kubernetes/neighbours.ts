import type { Observation } from '../../fact-set.ts';
import type { Document } from '../document.ts';
import { forEach, observe, unseen } from '../observe.ts';
import type { Release } from './cluster-api.ts';
import type { KubeObject } from './manifests.ts';
import { hostPathsOf } from './pod-places.ts';
import { containersOf, type PodTemplate, podsOf } from './pods.ts';
import { isAlive, isOwn, type NamespaceObjects } from './release-objects.ts';

/** Where a kubelet keeps the volumes of its pods; a cluster may put it elsewhere, and says so by the paths of its volumes. */
const KUBELET_FOLDER = '/var/lib/kubelet';
const SYSTEM_NAMESPACE = 'kube-system';
/** What a service account's token, its authority and the pod's own fields come as. */
const SOURCES = ['secret', 'projected'] as const;

const FACTS = [
  'cluster.foreignPods',
  'cluster.foreignVolumeUsers',
  'cluster.foreignSecretUsers',
  'cluster.injectedContainers',
] as const;
const NODE_FACTS = ['cluster.nodePathNeighbours', 'cluster.privilegedNeighbours'] as const;

/** Who shares the namespace with a release. Pure. */
export function namespaceNeighbours(
  found: NamespaceObjects,
  release: Release,
): Record<(typeof FACTS)[number], Observation> {
  const others = podsOf(found.all.pods.filter((pod) => !isOwn(pod, release) && isAlive(pod)));
  const own = podsOf(found.pods);
  const claims = new Set(own.flatMap(claimsOf));
  const secrets = new Set(own.flatMap(secretsOf));
  return {
    'cluster.foreignPods': observe(() => others.map(nameOf)),
    'cluster.foreignVolumeUsers': observe(() =>
      others.flatMap((pod) =>
        claimsOf(pod)
          .filter((claim) => claims.has(claim))
          .map((claim) => `${release.namespace}/${nameOf(pod)}: ${claim}`),
      ),
    ),
    'cluster.foreignSecretUsers': observe(() =>
      others.flatMap((pod) =>
        secretsOf(pod)
          .filter((secret) => secrets.has(secret))
          .map((secret) => `${nameOf(pod)}: ${secret}`),
      ),
    ),
    'cluster.injectedContainers': observe(() => own.flatMap((pod) => injectedInto(pod, found))),
  };
}

/** Who shares the nodes with it, among all pods of the cluster. Pure. */
export function nodeNeighbours(
  all: readonly KubeObject[] | Error,
  found: NamespaceObjects,
  { release, volumePaths }: { readonly release: Release; readonly volumePaths: readonly string[] },
): Record<(typeof NODE_FACTS)[number], Observation> {
  if (all instanceof Error) return forEach(NODE_FACTS, unseen(all));
  const nodes = new Set(found.pods.map(nodeOf).filter((node) => node !== ''));
  const neighbours = podsOf(
    all.filter((pod) => !isOwn(pod, release) && isAlive(pod) && (nodes.has(nodeOf(pod)) || nodeOf(pod) === '')),
  );
  const places = [KUBELET_FOLDER, ...volumePaths];
  return {
    'cluster.nodePathNeighbours': observe(() =>
      neighbours.flatMap((pod) =>
        hostPathsOf(pod)
          .filter((path) => places.some((place) => holds(path, place)))
          .map((path) => `${pod.namespace}/${nameOf(pod)}: ${path}`),
      ),
    ),
    'cluster.privilegedNeighbours': observe(() =>
      neighbours
        .filter((pod) => pod.namespace !== SYSTEM_NAMESPACE && isPrivileged(pod))
        .map((pod) => `${pod.namespace}/${nameOf(pod)}`),
    ),
  };
}

/** Paths on a node where the volumes that the release claims lie. */
export function volumePathsOf(volumes: readonly KubeObject[], release: Release): string[] {
  return volumes
    .filter(({ document }) => document.in('spec', 'claimRef', 'namespace').textOr('') === release.namespace)
    .flatMap(({ document }) =>
      ['hostPath', 'local'].flatMap((kind) => {
        const path = document.in('spec', kind, 'path');
        return path.isAbsent ? [] : [path.text()];
      }),
    );
}

/** Whether one path is the other, lies in it, or holds it. */
function holds(path: string, place: string): boolean {
  const below = (inner: string, outer: string): boolean =>
    outer === '/' || inner === outer || inner.startsWith(`${outer.replace(/\/+$/, '')}/`);
  return below(place, path) || below(path, place);
}

function nodeOf({ document }: KubeObject): string {
  return document.in('spec', 'nodeName').textOr('');
}

function nameOf({ owner }: PodTemplate): string {
  return owner.name;
}

function claimsOf({ spec }: PodTemplate): string[] {
  return spec
    .in('volumes')
    .items()
    .flatMap((volume) => {
      const claim = volume.in('persistentVolumeClaim', 'claimName');
      return claim.isAbsent ? [] : [claim.text()];
    });
}

/** Secrets that a pod is given as files or variables. */
function secretsOf(pod: PodTemplate): string[] {
  const named = (document: Document, ...path: string[]): string[] => {
    const name = document.in(...path);
    return name.isAbsent ? [] : [name.text()];
  };
  const volumes = pod.spec.in('volumes').items();
  const ofVolumes = volumes.flatMap((volume) => [
    ...named(volume, SOURCES[0], 'secretName'),
    ...volume
      .in(SOURCES[1], 'sources')
      .items()
      .flatMap((source) => named(source, 'secret', 'name')),
  ]);
  const ofVariables = containersOf(pod).flatMap(({ document }) => [
    ...document
      .in('env')
      .items()
      .flatMap((entry) => named(entry, 'valueFrom', 'secretKeyRef', 'name')),
    ...document
      .in('envFrom')
      .items()
      .flatMap((source) => named(source, 'secretRef', 'name')),
  ]);
  return [...new Set([...ofVolumes, ...ofVariables])];
}

function isPrivileged(pod: PodTemplate): boolean {
  if (pod.spec.in('hostPID').flagOr(false)) return true;
  return containersOf(pod).some(({ document }) => document.in('securityContext', 'privileged').flagOr(false));
}

/** Against the template of the set that made it, found by the longest name that begins the pod's. */
function injectedInto(pod: PodTemplate, { all }: NamespaceObjects): string[] {
  const sets = podsOf([...all.deployments, ...all.statefulsets]);
  const [made] = sets
    .filter(({ owner }) => pod.owner.name.startsWith(`${owner.name}-`))
    .sort((a, b) => b.owner.name.length - a.owner.name.length);
  if (made === undefined) return [];
  const known = new Set(containersOf(made).map(({ name }) => name));
  return containersOf(pod)
    .filter(({ name }) => !known.has(name))
    .map(({ name }) => `${nameOf(pod)}: ${name}`);
}
