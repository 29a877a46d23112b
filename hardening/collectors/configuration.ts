import type { Subject } from '../fact-set.ts';
import { looksLikeSecret } from '../secret-shapes.ts';
import type { Collector } from './collector.ts';
import { type Document, openDocument } from './document.ts';
import { openDescriptor } from './node-itself.ts';
import type { NodeSettings } from './node-settings.ts';
import { observe } from './observe.ts';

const INTEGERS = {
  'node.maxDenialsPerMinute': 'gateway.maxDenialsPerMinute',
  'node.bodyTimeoutMs': 'gateway.bodyTimeoutMs',
  'node.headersTimeoutMs': 'gateway.headersTimeoutMs',
  'node.keepAliveTimeoutMs': 'gateway.keepAliveTimeoutMs',
  'node.maxConnections': 'gateway.maxConnections',
  'node.maxRecordBytes': 'gateway.maxRecordBytes',
  'node.maxJsonBytes': 'gateway.maxJsonBytes',
  'node.unlockDelayMs': 'keys.unlockDelayMs',
  'node.unlockDelayMaxMs': 'keys.unlockDelayMaxMs',
  'node.minFreeBytes': 'store.minFreeBytes',
  'node.replicas': 'store.replicas',
  'node.checkpointEveryLeaves': 'audit.checkpointEveryLeaves',
  'node.p2pMaxConnections': 'p2p.maxConnections',
} as const;
const TEXTS = {
  'node.gatewayHost': 'gateway.host',
  'node.p2pListenHost': 'p2p.listenHost',
  'node.logLevel': 'log.level',
} as const;

const OTHERS = [
  'node.configValid',
  'node.configUnknown',
  'node.configSecrets',
  'node.gatewayAllInterfaces',
  'node.metricsEnabled',
  'node.p2pPrivateAddresses',
  'node.l1PlainHttp',
  'node.l1Endpoints',
  'node.proxyCredentials',
] as const;
type ConfigurationFact = keyof typeof INTEGERS | keyof typeof TEXTS | (typeof OTHERS)[number];
const ADDS: readonly ConfigurationFact[] = [
  ...(Object.keys(INTEGERS) as (keyof typeof INTEGERS)[]),
  ...(Object.keys(TEXTS) as (keyof typeof TEXTS)[]),
  ...OTHERS,
];

export interface ConfigurationOptions {
  readonly settings: NodeSettings;
  /** Addresses of this machine's interfaces: what is reached there does not leave it. */
  readonly ownAddresses: readonly string[];
}

/** What the node is configured to do. Of a configuration that is not valid, only that. */
export function createConfigurationCollector(options: ConfigurationOptions): Collector {
  return {
    name: 'configuration',
    kinds: [],
    adds: ADDS,
    privilege: 'read access to the configuration of the node',
    async collect() {
      return [observeConfiguration(options)];
    },
  };
}

function observeConfiguration({ settings, ownAddresses }: ConfigurationOptions): Subject {
  const at = (path: string): Document => openEffective(settings).in(...path.split('.'));
  const facts: Subject['facts'] & Record<ConfigurationFact, unknown> = {
    ...mapObject(INTEGERS, (path) => observe(() => at(path).integer())),
    ...mapObject(TEXTS, (path) => observe(() => at(path).text())),
    'node.configValid': observe(() => settings.problems.length === 0),
    'node.configUnknown': observe(() => unknownPaths(settings)),
    'node.configSecrets': observe(() => secretPaths(settings)),
    'node.gatewayAllInterfaces': observe(() => ['0.0.0.0', '::'].includes(at('gateway.host').text())),
    'node.metricsEnabled': observe(() => at('gateway.metricsPort').integer() !== 0),
    'node.p2pPrivateAddresses': observe(() => at('p2p.allowPrivateAddresses').flag()),
    'node.l1PlainHttp': observe(() => plainHttpHosts(settings, ownAddresses)),
    'node.l1Endpoints': observe(() => l1Endpoints(settings).length),
    'node.proxyCredentials': observe(() => hasPassword(at('rollup.proxyUrl').text())),
  };
  return { kind: 'node', name: 'node', facts };
}

function openEffective({ effective, problems }: NodeSettings): Document {
  if (effective === undefined) throw new Error(`the configuration is not valid: ${problems.join('; ')}`);
  return openDocument(effective);
}

/** Of the file as it stands: what no option is, by the path where it begins to be unknown. */
function unknownPaths({ file, options, problems }: NodeSettings): string[] {
  if (file === undefined) throw new Error(`the configuration could not be read: ${problems.join('; ')}`);
  const isOption = (path: string): boolean => options.includes(path);
  const isSection = (path: string): boolean => options.some((option) => option.startsWith(`${path}.`));
  const unknownIn = (document: Document): string[] =>
    document.entries().flatMap(([, own]) => {
      if (isOption(own.at)) return [];
      return isSection(own.at) ? unknownIn(own) : [own.at];
    });
  return unknownIn(openDocument(file));
}

/** Of the file, known or not: a secret in a place that nobody reads is one all the same. */
function secretPaths({ file, problems }: NodeSettings): string[] {
  if (file === undefined) throw new Error(`the configuration could not be read: ${problems.join('; ')}`);
  const secretIn = (document: Document): string[] => {
    const value = document.raw();
    if (typeof value === 'string')
      return looksLikeSecret(document.at.split('.').at(-1) ?? '', value) ? [document.at] : [];
    if (Array.isArray(value)) return document.items().flatMap(secretIn);
    return typeof value === 'object' && value !== null ? document.entries().flatMap(([, own]) => secretIn(own)) : [];
  };
  return secretIn(openDocument(file));
}

/** Where none is configured the network's own are used. */
function l1Endpoints(settings: NodeSettings): readonly string[] {
  const own = openEffective(settings).in('rollup', 'l1RpcUrls').texts();
  return own.length > 0 ? own : openDescriptor(settings.descriptor).endpoints.l1Rpc;
}

function plainHttpHosts(settings: NodeSettings, ownAddresses: readonly string[]): string[] {
  const own = openEffective(settings).in('rollup', 'sequencerRpcUrls').texts();
  const sequencer = own.length > 0 ? own : openDescriptor(settings.descriptor).endpoints.sequencerRpc;
  const beacons = openEffective(settings).in('rollup', 'beaconUrls').texts();
  return [...l1Endpoints(settings), ...sequencer, ...beacons]
    .map((text) => new URL(text))
    .filter(({ protocol, hostname }) => protocol === 'http:' && !isHere(hostname, ownAddresses))
    .map(({ hostname }) => hostname);
}

function isHere(hostname: string, ownAddresses: readonly string[]): boolean {
  const name = hostname.replace(/^\[|\]$/g, '');
  return name === 'localhost' || name.startsWith('127.') || name === '::1' || ownAddresses.includes(name);
}

function hasPassword(url: string): boolean {
  return url !== '' && new URL(url).password !== '';
}

function mapObject<K extends string, V, R>(object: Readonly<Record<K, V>>, map: (value: V) => R): Record<K, R> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value as V)])) as Record<K, R>;
}
