import Type, { type TProperties, type TSchema } from 'typebox';

/** Pieces that the schema of the chart's values is made of. Every value has a description; an unknown one is an error. */
export function group<P extends TProperties>(description: string, properties: P): Type.TObject<P> {
  return Type.Object(properties, { description, additionalProperties: false, default: {} });
}

export function text(description: string, value = '', pattern?: string): Type.TString {
  return Type.String({ description, default: value, ...(pattern !== undefined && { pattern }) });
}

export function flag(description: string, value: boolean): Type.TBoolean {
  return Type.Boolean({ description, default: value });
}

export function count(description: string, value: number, bounds: { minimum: number; maximum: number }): Type.TInteger {
  return Type.Integer({ description, default: value, ...bounds });
}

export function choice(description: string, words: readonly [string, ...string[]]): TSchema {
  return Type.Union(
    words.map((word) => Type.Literal(word)),
    { description, default: words[0] },
  );
}

export function list(description: string, items: TSchema, value: readonly unknown[] = []): TSchema {
  return Type.Array(items, { description, default: value });
}

/** What Kubernetes checks itself: labels, selectors, tolerations. */
export function words(description: string): TSchema {
  return Type.Record(Type.String(), Type.String(), { description, default: {} });
}

export function kubernetes(description: string, type: 'object' | 'array', value: unknown = type === 'array' ? [] : {}) {
  return type === 'object'
    ? Type.Object({}, { description, default: value, additionalProperties: true })
    : Type.Array(Type.Object({}, { additionalProperties: true }), { description, default: value });
}

const QUANTITY = '^[0-9]+(\\.[0-9]+)?(m|[KMGT]i?)?$';

export function quantity(description: string, value: string): Type.TString {
  return text(description, value, QUANTITY);
}

export interface Measured {
  readonly cpu: string;
  readonly memory: string;
  readonly cpuLimit: string;
  readonly memoryLimit: string;
}

/** Requests near what a busy role was seen to take, limits two to four times that: docs/performance.md. */
export function resources({ cpu, memory, cpuLimit, memoryLimit }: Measured) {
  return group('Requests and limits of the container.', {
    requests: group('What the scheduler keeps for it.', {
      cpu: quantity('CPU.', cpu),
      memory: quantity('Memory.', memory),
      'ephemeral-storage': quantity('Space for logs and /tmp.', '64Mi'),
    }),
    limits: group('What it may take.', {
      cpu: quantity('CPU.', cpuLimit),
      memory: quantity('Memory; none of it is swapped out where the kubelet keeps to its default.', memoryLimit),
      'ephemeral-storage': quantity('Space for logs and /tmp.', '256Mi'),
    }),
  });
}

export function persistence(what: string, size: string) {
  return group(`The volume that holds ${what}. It stays when the release is uninstalled.`, {
    storageClass: text("Storage class; empty: the cluster's default."),
    size: quantity(
      'Size. A larger one expands the volume where the class allows it: patch the claim, then upgrade.',
      size,
    ),
    whenDeleted: choice('What becomes of the volume when the StatefulSet is deleted.', ['Retain', 'Delete']),
    annotations: words('Annotations of the claim.'),
  });
}

/** Where the pods of a role may run, and what marks them. */
export function placement() {
  return {
    nodeSelector: words('Labels of the nodes that may run it.'),
    tolerations: kubernetes('Taints that it tolerates.', 'array'),
    affinity: kubernetes('Affinity of the pod.', 'object'),
    podLabels: words('Further labels of the pod.'),
    podAnnotations: words('Further annotations of the pod.'),
  };
}
