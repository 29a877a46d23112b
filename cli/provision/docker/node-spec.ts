import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { configPath, loadConfig, type NodeConfig, readConfigFile } from '../../../appliance/config/index.ts';
import { findVolumeMarks, isMarkedVolume } from '../../../appliance/volume-marks.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { configDigest, containerConfig, type RawConfig } from './container-config.ts';
import type { NodeSpec } from './desired-state.ts';
import { CONTAINER_ROLES, type ContainerRole } from './role-table.ts';
import { readSeccompProfile } from './seccomp-profile.ts';
import { type DockerTarget, findTarget } from './target-file.ts';

const MAX_AUTHORITIES_BYTES = 1024 * 1024;

/** What of the home goes into the config volume, as bytes. */
export interface SharedFiles {
  readonly config: Uint8Array;
  readonly network: Uint8Array;
  readonly publicIdentity: Uint8Array;
  /** Which volumes were filled; absent of a node that was made before they had marks. */
  readonly volumeMarks?: Uint8Array;
  /** The file that `rollup.caFile` names. */
  readonly authorities?: Uint8Array;
}

export interface DockerNode {
  readonly home: string;
  readonly target: DockerTarget;
  readonly config: NodeConfig;
  readonly spec: NodeSpec;
  readonly shared: SharedFiles;
}

/** The target file of a docker node. @throws NectarError CLI_HOME_MISSING */
export function requireTarget(home: string): DockerTarget {
  const target = findTarget(home);
  if (target === undefined) throw new NectarError('CLI_HOME_MISSING', { home });
  return target;
}

/** Reads what decides the containers of a node: target.json, config.json, network.json, public.json of its home. */
export function readDockerNode(home: string): DockerNode {
  const target = requireTarget(home);
  // Validated as a whole, with the owner's view of it; the containers get the text that they read.
  const { config } = loadConfig({ home });
  const raw = containerConfig(readConfigFile(configPath(home)) as RawConfig);
  const shared: SharedFiles = {
    config: Buffer.from(`${JSON.stringify(raw, undefined, 2)}\n`),
    network: readFileSync(join(home, 'network.json')),
    publicIdentity: readFileSync(join(home, 'identity', 'public.json')),
    ...readVolumeMarks(home),
    ...readAuthorities(config.rollup.caFile),
  };
  const perRole = <T>(of: (role: ContainerRole) => T) =>
    Object.fromEntries(CONTAINER_ROLES.map((role) => [role, of(role)])) as Record<ContainerRole, T>;
  const spec: NodeSpec = {
    nodeId: target.nodeId,
    version: target.programVersion,
    images: target.images,
    seccomp: perRole(readSeccompProfile),
    configDigests: perRole((role) => configDigest(role, raw, sharedWith(role, shared))),
    gateway: { host: config.gateway.host, port: config.gateway.port },
    metrics: metricsAt(config.gateway),
    p2p: { host: config.p2p.listenHost, port: config.p2p.listenPort },
    keyFile: config.keys.keyFile === '' ? undefined : config.keys.keyFile,
    limits: target.limits as NodeSpec['limits'],
  };
  return { home, target, config, spec, shared };
}

function metricsAt({ metricsHost: host, metricsPort: port }: NodeConfig['gateway']): NodeSpec['metrics'] {
  return port === 0 ? undefined : { host, port };
}

/** What of the config volume a role reads at its start, besides its configuration. */
function sharedWith(role: ContainerRole, shared: SharedFiles): Uint8Array[] {
  const { network, publicIdentity, authorities, volumeMarks } = shared;
  const own = role === 'rollup' ? authorities : isMarkedVolume(role) ? volumeMarks : undefined;
  return own === undefined ? [network, publicIdentity] : [network, publicIdentity, own];
}

/** @throws NectarError VOLUME_MARKS_INVALID */
function readVolumeMarks(home: string): { volumeMarks?: Uint8Array } {
  const marks = findVolumeMarks(home);
  return marks === undefined ? {} : { volumeMarks: Buffer.from(`${JSON.stringify(marks, undefined, 2)}\n`) };
}

/** @throws NectarError CONFIG_VALUE_INVALID when the file that is named cannot be read */
function readAuthorities(path: string): { authorities?: Uint8Array } {
  if (path === '') return {};
  try {
    if (statSync(path).size <= MAX_AUTHORITIES_BYTES) return { authorities: readFileSync(path) };
  } catch (error) {
    throw new NectarError(
      'CONFIG_VALUE_INVALID',
      { option: 'rollup.caFile', expected: 'a readable file' },
      { cause: error },
    );
  }
  throw new NectarError('CONFIG_VALUE_INVALID', { option: 'rollup.caFile', expected: 'a file of at most 1 MiB' });
}
