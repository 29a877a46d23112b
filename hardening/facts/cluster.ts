import { type FactDefinition, integer, set, text, yes } from './definition.ts';

/**
 * Of the cluster around a release. Subjects of its access rules are written as `User NAME`, `Group NAME` or
 * `ServiceAccount NAMESPACE/NAME`; those that Kubernetes itself comes with, and the groups of its administrators, are left out.
 */
export const CLUSTER_FACTS = {
  'cluster.version': text('Version of the API server.'),
  'cluster.buildDays': integer('Days since that version was built.'),
  'cluster.anonymousStatus': integer(
    "HTTP status of a request without credentials for the Secrets of the release's namespace; 0 when the connection was cut.",
  ),
  'cluster.anonymousGrants': set(
    'ClusterRoles and Roles that anonymous users have beyond health, version and discovery.',
  ),
  'cluster.authorizationModes': set('Authorization modes of the API server.'),
  'cluster.admissionPlugins': set('Admission plugins that the API server was told to enable.'),
  'cluster.encryptsSecrets': yes('Whether the API server was given an encryption configuration.'),
  'cluster.auditLog': yes('Whether the API server writes an audit log or sends it to a webhook.'),
  'cluster.clusterAdmins': set('Subjects that may do everything in the cluster.'),
  'cluster.podEntrants': set('Subjects that may run programs in the pods of the namespace, or make pods there.'),
  'cluster.secretReaders': set('Subjects that may read the Secrets of the namespace.'),
  'cluster.policyChangers': set('Subjects that may change or remove NetworkPolicies of the namespace.'),
  'cluster.rightsRaisers': set('Subjects that may bind roles, escalate them, or impersonate others.'),
  'cluster.tokenMakers': set('Subjects that may make tokens of service accounts of the namespace.'),
  'cluster.nodeProxies': set("Subjects that may reach the kubelets through the API server's proxy."),
  'cluster.volumeMakers': set('Subjects that may make persistent volumes.'),
  'cluster.certificateApprovers': set('Subjects that may approve certificate signing requests.'),
  'cluster.webhookChangers': set('Subjects that may change admission webhooks.'),
  'cluster.foreignPods': set('Pods in the namespace that are not of the release, by name.'),
  'cluster.foreignVolumeUsers': set(
    'Pods that are not of the release and mount a volume of it, as NAMESPACE/POD: VOLUME.',
  ),
  'cluster.foreignSecretUsers': set('Pods that are not of the release and are given a Secret of it, as POD: SECRET.'),
  'cluster.nodePathNeighbours': set(
    "Pods on the nodes of the release's pods that mount a host path which holds the volumes of pods, as NAMESPACE/POD: PATH.",
  ),
  'cluster.privilegedNeighbours': set(
    "Pods on those nodes, other than of kube-system, that are privileged or share the host's processes, as NAMESPACE/POD.",
  ),
  'cluster.injectedContainers': set(
    'Containers in pods of the release that its templates do not have, as POD: CONTAINER.',
  ),
  'cluster.privilegedAdmitted': yes(
    'Whether the API server would admit a privileged pod into the namespace (a dry run).',
  ),
  'cluster.reachedDespitePolicy': set(
    'Connections that were tried from inside the pods, are no crossing of the node, and were accepted, as ROLE to PLACE.',
  ),
  'cluster.kubeletsAnonymous': set("Nodes of the release's pods whose kubelet serves anonymous requests."),
  'cluster.kubeletsUnauthorized': set('Those whose kubelet lets everybody do everything.'),
  'cluster.kubeletsReadOnlyPort': set('Those whose kubelet has the read-only port open.'),
} as const satisfies Record<`cluster.${string}`, FactDefinition>;
