import type { Document } from '../document.ts';
import { type KubeObject, textMap } from './manifests.ts';

/** Where the pod's template lies in objects that make pods. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  ReplicationController: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};
const ROLE_LABELS = ['org.nectar-byon.role', 'app.kubernetes.io/component'];
const HOOK = 'helm.sh/hook';

/** A pod as it will be made. */
export interface PodTemplate {
  readonly owner: KubeObject;
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  /** Of its labels; else the name of its owner. */
  readonly role: string;
  readonly isHook: boolean;
  readonly spec: Document;
}

export interface PodContainer {
  readonly pod: PodTemplate;
  readonly kind: 'container' | 'init' | 'sidecar' | 'ephemeral';
  readonly name: string;
  readonly document: Document;
}

export const POD_KINDS = Object.keys(TEMPLATES);

export function podsOf(objects: readonly KubeObject[]): PodTemplate[] {
  return objects.flatMap((owner) => {
    const path = TEMPLATES[owner.kind];
    if (path === undefined) return [];
    const template = owner.document.in(...path);
    const labels = textMap(template.in('metadata', 'labels'));
    const annotations = textMap(template.in('metadata', 'annotations'));
    return [
      {
        owner,
        namespace: owner.namespace,
        labels,
        annotations,
        role: ROLE_LABELS.map((label) => labels.get(label)).find((role) => role !== undefined) ?? owner.name,
        isHook: owner.annotations.has(HOOK) || annotations.has(HOOK),
        spec: template.in('spec'),
      },
    ];
  });
}

/** Every program that a pod runs, the first ones that prepare it included: they have its volumes, and often its secrets. */
export function containersOf(pod: PodTemplate): PodContainer[] {
  const list = (field: string, kind: (document: Document) => PodContainer['kind']): PodContainer[] =>
    pod.spec
      .in(field)
      .items()
      .map((document) => ({ pod, kind: kind(document), name: document.in('name').text(), document }));
  return [
    ...list('containers', () => 'container'),
    ...list('initContainers', (document) =>
      document.in('restartPolicy').textOr('') === 'Always' ? 'sidecar' : 'init',
    ),
    ...list('ephemeralContainers', () => 'ephemeral'),
  ];
}

/** Whether a label selector (`matchLabels`, `matchExpressions`) selects; an empty one selects all. */
export function selects(selector: Document, labels: ReadonlyMap<string, string>): boolean {
  const wanted = [...textMap(selector.in('matchLabels'))];
  const isSame = wanted.every(([key, value]) => labels.get(key) === value);
  return (
    isSame &&
    selector
      .in('matchExpressions')
      .items()
      .every((expression) => meets(expression, labels))
  );
}

function meets(expression: Document, labels: ReadonlyMap<string, string>): boolean {
  const value = labels.get(expression.in('key').text());
  const values = expression.in('values').texts();
  const operator = expression.in('operator').text();
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      throw new Error(`${expression.at} has the unknown operator ${operator}`);
  }
}

/** A field of the container's security context, else of its pod's. */
export function securityField({ pod, document }: PodContainer, ...path: readonly string[]): Document {
  const own = document.in('securityContext', ...path);
  return own.isAbsent ? pod.spec.in('securityContext', ...path) : own;
}
