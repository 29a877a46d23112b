import { createReadStream, existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadConfig, printConfig } from '../../../appliance/config/index.ts';
import { NodeStatus } from '../../../appliance/gateway/node-schemas.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { Client } from '../../client.ts';
import type { Check } from '../../preflight.ts';
import { readContainerStatus } from '../../provision/docker/container-status.ts';
import { desiredState } from '../../provision/docker/desired-state.ts';
import { readDockerNode } from '../../provision/docker/node-spec.ts';
import { openEngine } from '../../provision/docker/open-engine.ts';
import { findTarget } from '../../provision/docker/target-file.ts';
import { findClusterTarget, requireClusterTarget } from '../../provision/kubernetes/cluster-target.ts';
import { openKubectl } from '../../provision/kubernetes/open-kubectl.ts';
import { readPodLogs } from '../../provision/kubernetes/pod-logs.ts';
import { type PodState, readPods } from '../../provision/kubernetes/pod-states.ts';
import { CLUSTER_ROLES } from '../../provision/kubernetes/release-labels.ts';
import type { Terminal } from '../../terminal.ts';
import { VERSION } from '../../version.ts';
import { supportLine } from './log-lines.ts';
import { LOG_MESSAGES } from './messages.ts';
import { metricLines } from './metric-lines.ts';
import {
  checksSection,
  configSection,
  containersSection,
  engineSection,
  podsSection,
  statusSection,
} from './sections.ts';

const LOG_TAIL_BYTES = 4 * 1024 * 1024;
const LOG_LINES = 2_000;
const METRICS_TIMEOUT_MS = 5_000;

export interface CollectSupport {
  readonly home: string;
  readonly terminal: Terminal;
  /** What `doctor` finds. */
  readonly examine: () => Promise<readonly Check[]>;
  readonly withClient: <T>(work: (client: Client) => Promise<T>) => Promise<T>;
}

/** What a stranger may see of a node in trouble. Each part is made by an allow-list; one that cannot be had says its error's code. */
export async function collectSupport({ home, terminal, examine, withClient }: CollectSupport): Promise<object> {
  const cluster = findClusterTarget(home) !== undefined;
  const containers = !cluster && findTarget(home) !== undefined;
  return {
    format: 'nectar-byon-support',
    version: 1,
    createdAt: new Date(terminal.now()).toISOString(),
    program: VERSION,
    target: cluster ? 'kubernetes' : containers ? 'docker' : 'process',
    machine: { node: process.versions.node, platform: process.platform, arch: process.arch, kernel: kernel() },
    config: await part(async () => configSection(printConfig(loadConfig({ home, env: terminal.env })))),
    status: await part(async () => statusSection(await withClient((c) => c.json(NodeStatus, 'GET', '/v1/node')))),
    doctor: await part(async () => checksSection(await examine())),
    ...(containers && {
      engine: await part(async () => engineSection(await openEngine(terminal, findTarget(home)?.engine).facts())),
      containers: await part(async () => containersSection(await readContainerStatus(home, terminal))),
    }),
    ...(cluster && { pods: await part(async () => podsSection(await podsOf(home, terminal))) }),
    metrics: await part(async () =>
      metricLines(await withClient((client) => client.text('/v1/metrics', { timeoutMs: METRICS_TIMEOUT_MS }))),
    ),
    log: await part<object>(() =>
      cluster
        ? podLogs(home, terminal)
        : containers
          ? containerLogs(home, terminal)
          : nodeLog(join(home, 'logs', 'node.log')),
    ),
  };
}

async function part<T>(make: () => Promise<T>): Promise<T | { unavailable: string }> {
  try {
    return await make();
  } catch (error) {
    return { unavailable: error instanceof NectarError ? error.code : 'CLI_INTERNAL' };
  }
}

function kernel(): string {
  return /^\d+\.\d+(\.\d+)?/.exec(release())?.[0] ?? '*';
}

interface FilteredLog {
  readonly lines: readonly object[];
  /** Lines that are none of ours, such as those of a crash of the runtime. */
  readonly leftOut: number;
}

async function nodeLog(path: string): Promise<FilteredLog> {
  if (!existsSync(path)) return { lines: [], leftOut: 0 };
  const { size } = await stat(path);
  const input = createReadStream(path, { start: Math.max(0, size - LOG_TAIL_BYTES) });
  const lines: string[] = [];
  for await (const line of createInterface({ input })) lines.push(line);
  return filterLog(lines);
}

async function containerLogs(home: string, terminal: Terminal): Promise<object> {
  const { spec, target } = readDockerNode(home);
  const engine = openEngine(terminal, target.engine);
  const logs: Record<string, FilteredLog> = {};
  for (const { role, name } of desiredState(spec).containers) {
    logs[role] = filterLog(await engine.containers.logs(name, { tail: LOG_LINES }).catch(() => []));
  }
  return logs;
}

async function podsOf(home: string, terminal: Terminal): Promise<PodState[]> {
  const target = requireClusterTarget(home);
  return readPods(openKubectl(target, terminal), target);
}

async function podLogs(home: string, terminal: Terminal): Promise<object> {
  const lines = await readPodLogs(home, { lines: LOG_LINES }, terminal);
  const said = (of: string): string[] => lines.flatMap(({ role, line }) => (role === of ? [line] : []));
  return Object.fromEntries(CLUSTER_ROLES.map((role) => [role, filterLog(said(role))]));
}

export function filterLog(lines: readonly string[]): FilteredLog {
  const messages = new Set(LOG_MESSAGES);
  const shown = lines.slice(-LOG_LINES).map((line) => supportLine(line, messages));
  const kept = shown.filter((line) => line !== undefined);
  return { lines: kept, leftOut: shown.length - kept.length };
}
