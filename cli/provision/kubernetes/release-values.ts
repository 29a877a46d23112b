import { type ReleaseName, secretNames } from './release-names.ts';

/** What the chart is told of a node that was made by this program. Nothing of it is secret. */
export interface ValuesRequest {
  readonly name: ReleaseName;
  /** The signed descriptor, as it is. */
  readonly descriptor: string;
  readonly publicIdentity: string;
  readonly hasRootKey: boolean;
  /** Options of the node as its owner wrote them. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly hostNames: readonly string[];
  readonly registry: string | undefined;
  readonly imageTag: string;
  readonly storageClass: string | undefined;
  readonly announce: readonly string[];
}

/** What the chart decides itself, by the role's place in a pod. */
const OF_THE_CHART: Readonly<Record<string, readonly string[]>> = {
  gateway: ['host', 'port', 'metricsHost', 'metricsPort', 'hostNames'],
  p2p: ['listenHost', 'listenPort', 'announce'],
  keys: ['keyFile'],
};

export function releaseValues(request: ValuesRequest): Readonly<Record<string, unknown>> {
  const { name, descriptor, publicIdentity, hasRootKey, hostNames, registry, imageTag, storageClass, announce } =
    request;
  const names = secretNames(name);
  const persistence = storageClass === undefined ? {} : { persistence: { storageClass } };
  return {
    image: { ...(registry !== undefined && { registry }), tag: imageTag },
    network: { descriptor },
    // The store takes over what the Secret holds; an empty volume without it makes no new node.
    identity: { firstStart: 'wait', existingSecret: names.identity, public: publicIdentity },
    ...(hasRootKey && { rootKey: { existingSecret: names.rootKey } }),
    crossings: { issuer: 'existing', existingSecrets: names.crossings },
    gateway: { tls: { issuer: 'existing', existingSecret: names.gatewayTls, hostNames } },
    store: persistence,
    audit: persistence,
    rollup: { ...persistence, ...(announce.length > 0 && { p2p: { announce } }) },
    config: ownersConfig(request.config),
  };
}

function ownersConfig(config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const sections = Object.entries(config).flatMap(([section, options]) => {
    if (typeof options !== 'object' || options === null) return [];
    const own = Object.entries(options).filter(([option]) => OF_THE_CHART[section]?.includes(option) !== true);
    return own.length === 0 ? [] : [[section, Object.fromEntries(own)]];
  });
  return Object.fromEntries(sections) as Record<string, unknown>;
}
