import type { KubeObject } from './manifests.ts';

/** The API of a cluster as one of its users sees it. What that user may not see is thrown, with the API server's reason. */
export interface ClusterApi {
  /** Objects of a resource in the namespace of the release, or in the whole cluster. */
  list(resource: string, where: 'namespace' | 'cluster', signal: AbortSignal): Promise<readonly KubeObject[]>;
  /** The JSON answer of a path below the API server. */
  get(path: string, signal: AbortSignal): Promise<unknown>;
  /** What the API server says when it is asked to make the object and not to keep it; undefined: it would. */
  refusalOf(manifest: object, signal: AbortSignal): Promise<string | undefined>;
  /** What a program in a container of a pod writes. */
  execute(place: PodPlace, command: readonly string[], signal: AbortSignal): Promise<string>;
  /** HTTP status of a GET without credentials; 0 when the connection was cut. */
  anonymousStatus(path: string, signal: AbortSignal): Promise<number>;
}

export interface PodPlace {
  readonly pod: string;
  readonly container: string;
}

/** Which objects are the node's. */
export interface Release {
  readonly namespace: string;
  /** Value of `app.kubernetes.io/instance`. */
  readonly name: string;
}
