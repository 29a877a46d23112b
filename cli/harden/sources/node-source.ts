import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readPublicIdentity } from '../../../appliance/config/identity.ts';
import type { NodeConfig } from '../../../appliance/config/schema.ts';
import { createOutboundFetch } from '../../../appliance/rollup/l1/outbound-fetch.ts';
import { createAuditLogCollector } from '../../../hardening/collectors/audit-log.ts';
import { createClockCollector } from '../../../hardening/collectors/clock.ts';
import type { Collector } from '../../../hardening/collectors/collector.ts';
import { createConfigurationCollector } from '../../../hardening/collectors/configuration.ts';
import { createDataSurvey } from '../../../hardening/collectors/data-survey.ts';
import { createFilesCollector, type OutsideFile } from '../../../hardening/collectors/files.ts';
import { createHostCollector } from '../../../hardening/collectors/host.ts';
import { openHostFiles } from '../../../hardening/collectors/host-files.ts';
import { createKeysCollector } from '../../../hardening/collectors/keys.ts';
import { createLifeCollector } from '../../../hardening/collectors/life.ts';
import type { ExpectedListener, FindBindings } from '../../../hardening/collectors/listener.ts';
import { createListenersCollector } from '../../../hardening/collectors/listeners.ts';
import type { NodeApi } from '../../../hardening/collectors/node-api.ts';
import { createNodeCollector } from '../../../hardening/collectors/node-itself.ts';
import { type NodePlaces, placesOf } from '../../../hardening/collectors/node-places.ts';
import type { NodeSettings } from '../../../hardening/collectors/node-settings.ts';
import { createNodeStatusCollector } from '../../../hardening/collectors/node-status.ts';
import { createPlaintextCollector } from '../../../hardening/collectors/plaintext.ts';
import { createTokensCollector } from '../../../hardening/collectors/tokens.ts';
import type { FactSet } from '../../../hardening/fact-set.ts';
import type { FactId } from '../../../hardening/facts/index.ts';
import { parseDescriptor } from '../../../protocol/network/descriptor.ts';
import type { Call } from '../../call.ts';
import { findLastBackup } from '../../life/last-backup.ts';
import type { HardenOptions } from '../options.ts';
import { readLifeNotes } from './life-notes.ts';
import { ownAddresses } from './node-settings.ts';

/** What is known of a node before anybody looks at it. */
export interface NodeSource {
  readonly call: Call<HardenOptions>;
  readonly nodeId: string;
  readonly settings: NodeSettings;
  /** Undefined where the configuration is not valid. */
  readonly config: NodeConfig | undefined;
}

/** What differs by what the node runs in. */
export interface NodeParts {
  readonly target: 'process' | 'docker';
  readonly running: boolean;
  readonly version: string;
  readonly api: NodeApi | undefined;
  readonly places: NodePlaces;
  readonly listeners: readonly ExpectedListener[];
  readonly findBindings: FindBindings;
  /** Where the data lies on this machine; undefined where that cannot be seen. */
  readonly dataFolder: string | undefined;
  /** Of the engine, on this machine. */
  readonly engineFolder: string | undefined;
  /** Volumes in memory, by the engine's names. */
  readonly inMemory: readonly string[];
  /** Who may own the key file. */
  readonly keyFileOwners: readonly number[];
  /** The group by which the node alone reads it. */
  readonly keyFileReaders?: number;
}

export function describeNode({ nodeId, settings }: NodeSource, target: string): FactSet['node'] {
  return { id: nodeId, target, network: networkName(settings) };
}

function networkName({ descriptor }: NodeSettings): string {
  try {
    return descriptor === undefined ? '' : parseDescriptor(descriptor).descriptor.name;
  } catch {
    return '';
  }
}

/** Those who look at the node itself, whatever it runs in. */
export async function nodeCollectors(source: NodeSource, parts: NodeParts): Promise<Collector[]> {
  const { call, settings } = source;
  const { home, terminal } = call;
  const { target, api, places, listeners, findBindings, engineFolder, inMemory } = parts;
  const dataFolder = parts.dataFolder === undefined ? undefined : realpathSync(parts.dataFolder);
  const probe = call.options.probe;
  const vkey = (): string => readPublicIdentity(home).checkpointVkey;
  const gateway = listeners.find(({ name }) => name === 'gateway');
  const survey = createDataSurvey({ places: placesOf(places), probe }, { api, vkey, randomBytes });
  const now = (): number => terminal.now();
  const notes = await readLifeNotes(home);
  const authority = readIfThere(join(home, 'tls', 'ca.crt'));
  return [
    createNodeCollector({ target, state: parts.running ? 'running' : 'stopped', version: parts.version, settings }),
    createConfigurationCollector({ settings, ownAddresses: ownAddresses() }),
    createNodeStatusCollector({ settings, now }, { api }),
    createListenersCollector({ listeners, authority, now }, { findBindings, api }),
    createKeysCollector({ places, notes, now }),
    createTokensCollector({ places, now }),
    createLifeCollector({ notes, dataFolder, now }),
    createAuditLogCollector({ notes, gateway, probe, now }, { api, vkey }),
    createFilesCollector({ home, outside: await outsideFiles(source, parts), dataFolder }, { survey }),
    createPlaintextCollector({ inMemory }, { survey }),
    createClockCollector({ settings }, { now, fetch: outboundFetch(source) }),
    createHostCollector({ dataFolder, engineFolder, owner: statSync(home) }, { host: openHostFiles() }),
  ];
}

/** The way to L1 that the node takes: a hospital's proxy and authority are on it. */
function outboundFetch({ call, config }: NodeSource): typeof fetch {
  const { proxyUrl = '', caFile = '' } = config?.rollup ?? {};
  // Made at the first request: a file of authorities that is gone is one fact that cannot be seen, and nothing else.
  return (...request) => createOutboundFetch({ proxyUrl, caFile, env: call.terminal.env })(...request);
}

/** What belongs to the node and lies elsewhere: its key file, and the backup that was made last. */
async function outsideFiles(
  { call, config }: NodeSource,
  { keyFileOwners: owners, keyFileReaders: readers }: NodeParts,
): Promise<OutsideFile[]> {
  const backup = (await findLastBackup(call.home))?.file;
  const own = process.getuid?.() ?? 0;
  return [
    ...keyFilesOf(call.home, config).map((path) => ({ purpose: 'root-key', path, owners, readers }) as const),
    // One that was carried away is where it should be.
    ...(backup === undefined || !existsSync(backup)
      ? []
      : [{ purpose: 'backup', path: backup, owners: [own] } as const]),
  ];
}

/**
 * The files that open the root key: those that the key list says, where it lies in the home and can be read, else the one that the
 * configuration names. undefined: there may be one, and what names it cannot be read.
 */
export function keyFilesOf(home: string, config: NodeConfig | undefined): (string | undefined)[] {
  const configured = config === undefined ? undefined : config.keys.keyFile;
  try {
    const { providers } = JSON.parse(readFileSync(join(home, 'keys.json'), 'utf8')) as KeyListSeen;
    return providers.filter(({ provider }) => provider === 'file').map(({ path }) => path ?? configured);
  } catch {
    return configured === '' ? [] : [configured];
  }
}

interface KeyListSeen {
  readonly providers: readonly { readonly provider?: unknown; readonly path?: string }[];
}

/** The sockets that the configuration asks for, at the ports where they are now. */
export function expectedListeners(
  config: NodeConfig | undefined,
  { gateway, p2pPort }: { readonly gateway: URL | undefined; readonly p2pPort: number },
): ExpectedListener[] {
  if (config === undefined) return [];
  const { host, port, metricsHost, metricsPort, maxHeaderBytes } = config.gateway;
  const { listenHost, listenPort } = config.p2p;
  const gatewayAt = { host: reachedAt(host), port: gateway === undefined ? port : Number(gateway.port || 443) };
  return [
    { name: 'gateway', speaks: 'https', ...gatewayAt, configured: { host, port }, maxHeaderBytes },
    ...(metricsPort === 0 ? [] : [metricsListener(metricsHost, metricsPort)]),
    {
      ...{ name: 'p2p', speaks: 'libp2p', host: reachedAt(listenHost), port: p2pPort },
      configured: { host: listenHost, port: listenPort },
    },
  ];
}

function metricsListener(host: string, port: number): ExpectedListener {
  return { name: 'metrics', speaks: 'http', host: reachedAt(host), port, configured: { host, port } };
}

/** What listens everywhere is reached on loopback too. */
function reachedAt(host: string): string {
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Says that there is nothing of these kinds: what is looked for by nobody would count as not seen. */
export function nothingOf(kinds: Collector['kinds'], reason: string, adds: readonly FactId[] = []): Collector {
  return {
    name: `no ${kinds[0]}`,
    kinds,
    adds,
    privilege: 'none',
    notApplicable: reason,
    collect: async () => [],
  };
}
