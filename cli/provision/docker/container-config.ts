import { createHash } from 'node:crypto';
import {
  AUTHORITIES,
  type ContainerRole,
  GATEWAY_PORT,
  KEY_FILE,
  METRICS_PORT,
  NODE_HOME,
  P2P_PORT,
} from './role-table.ts';

/** A config.json as it is written: what differs from the defaults. */
export type RawConfig = Readonly<Record<string, unknown>>;

/** Sections of the configuration that a role reads; `log` is everybody's. */
const SECTIONS: Readonly<Record<ContainerRole, readonly string[]>> = {
  gateway: ['log', 'gateway'],
  store: ['log', 'keys', 'store'],
  audit: ['log', 'audit'],
  rollup: ['log', 'rollup', 'p2p', 'replication', 'anchor'],
};

/**
 * The owner's configuration as the containers see it. Addresses and ports that the owner chose are those of the host: inside, a
 * container listens on all of its own addresses, at fixed ports, and the engine publishes exactly the chosen one.
 */
export function containerConfig(config: RawConfig): RawConfig {
  const { keyFile } = section(config, 'keys');
  const gateway = section(config, 'gateway');
  const rollup = section(config, 'rollup');
  return {
    ...config,
    gateway: {
      ...gateway,
      ...{ host: '0.0.0.0', port: GATEWAY_PORT },
      ...(isPort(gateway.metricsPort) && { metricsHost: '0.0.0.0', metricsPort: METRICS_PORT }),
    },
    p2p: { ...section(config, 'p2p'), listenHost: '0.0.0.0', listenPort: P2P_PORT },
    ...(isPath(rollup.caFile) && { rollup: { ...rollup, caFile: `${NODE_HOME}/config/${AUTHORITIES}` } }),
    ...(isPath(keyFile) && { keys: { ...section(config, 'keys'), keyFile: KEY_FILE } }),
  };
}

/** Which configuration a role runs with: a change that it does not read does not restart it. */
export function configDigest(role: ContainerRole, config: RawConfig, shared: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const name of SECTIONS[role]) hash.update(`${name}=${JSON.stringify(config[name] ?? null)}\n`);
  for (const bytes of shared) hash.update(createHash('sha256').update(bytes).digest());
  return hash.digest('hex');
}

function isPort(value: unknown): boolean {
  return typeof value === 'number' && value !== 0;
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function section(config: RawConfig, name: string): Readonly<Record<string, unknown>> {
  const value = config[name];
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
