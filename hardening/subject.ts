/**
 * What facts are about. The same kinds on Docker, on Kubernetes and for a bare process, so that a check id means the same thing
 * everywhere: a container of a pod is a `container`, whoever runs it.
 */
export const SUBJECT_KINDS = [
  /** The node as a whole; exactly one. */
  'node',
  /** The machine under it. */
  'host',
  /** The container engine and its daemon. */
  'engine',
  'image',
  'container',
  /** The main process of a role, as its kernel sees it. */
  'process',
  'volume',
  'network',
  /** A socket that the node listens on. */
  'listener',
  /** A file or folder of the node. */
  'file',
  /** A key or credential: ages and providers, never the key. */
  'key',
  /** What a namespace or a release in Kubernetes has beside its containers. */
  'workload',
  /** The cluster around that namespace: its API, its other users, its nodes; at most one. */
  'cluster',
] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];
