import type { NectarError } from '../../../protocol/errors.ts';
import type { Output } from '../../render/output.ts';
import { formatBytes } from '../../render/quantities.ts';
import { printable, renderTable } from '../../render/table.ts';
import type { Terminal } from '../../terminal.ts';
import { failureOf } from './container-failure.ts';
import { type DesiredState, desiredState } from './desired-state.ts';
import type { Engine } from './engine.ts';
import type { ContainerState, ContainerStats } from './engine-containers.ts';
import { requireKeptVolumes } from './kept-volumes.ts';
import { readDockerNode } from './node-spec.ts';
import { openEngine } from './open-engine.ts';
import { ownedBy } from './owned.ts';
import { idOf } from './plan-docker.ts';
import { LABELS } from './role-table.ts';

/** How one container is, in numbers. */
export interface ContainerStatus {
  readonly role: string;
  readonly name: string;
  /** running, exited, restarting, paused, created, or absent. */
  readonly state: string;
  /** healthy, unhealthy, starting, or unknown where the engine runs no healthchecks. */
  readonly health: string;
  /** What the last healthcheck said, when it was not well. */
  readonly healthReason?: string;
  /** Why it ended, or ends again and again. */
  readonly failure?: Pick<NectarError, 'code' | 'message'>;
  /** Its last end was for want of memory. */
  readonly outOfMemory?: true;
  readonly restarts: number;
  readonly startedAt: string | null;
  readonly memoryBytes: number | null;
  readonly memoryLimitBytes: number;
  readonly pids: number | null;
  /** The one that it really has; of an absent one, what it would get. */
  readonly image: string;
  /** Of the program in that image, as its labels say. */
  readonly version: string;
  /** It is of the image that the home names: else an upgrade or a rollback was interrupted. */
  readonly wantedImage: boolean;
  /** It runs as the home says; false: the next `up` makes it anew. */
  readonly current: boolean;
}

/** Of all containers of a node, in the order of their start. */
export function containerStatus(engine: Engine, state: DesiredState): Promise<ContainerStatus[]> {
  const owned = ownedBy(state.nodeId, engine);
  return Promise.all(
    state.containers.map(async (spec): Promise<ContainerStatus> => {
      const found = await owned.container(spec.name);
      const base = { role: spec.role, name: spec.name, memoryLimitBytes: spec.limits.memoryBytes, image: spec.image };
      const wanted = { version: state.version, wantedImage: true };
      if (found === undefined) {
        return {
          ...base,
          ...wanted,
          state: 'absent',
          health: 'unknown',
          restarts: 0,
          startedAt: null,
          ...UNMEASURED,
          current: false,
        };
      }
      const measured = found.State.Running ? measure(await engine.containers.stats(spec.name)) : UNMEASURED;
      return {
        ...base,
        image: found.Image,
        version: found.Config.Labels[LABELS.version] ?? 'unknown',
        wantedImage: idOf(found.Image) === idOf(spec.image),
        state: found.State.Paused ? 'paused' : found.State.Status,
        ...healthOf(found),
        ...(await failureIn(engine, spec.name, found)),
        ...(found.State.OOMKilled && found.RestartCount > 0 && { outOfMemory: true }),
        restarts: found.RestartCount,
        startedAt: found.State.Running ? found.State.StartedAt : null,
        ...measured,
        current: found.Config.Labels[LABELS.spec] === spec.labels[LABELS.spec],
      };
    }),
  );
}

/** One that was stopped on purpose ended well: that is no failure. */
async function failureIn(
  engine: Engine,
  name: string,
  found: ContainerState,
): Promise<Pick<ContainerStatus, 'failure'>> {
  if (found.State.Status === 'exited' && found.State.ExitCode === 0) return {};
  const failure = await failureOf(engine, name, found);
  return failure === undefined ? {} : { failure: { code: failure.code, message: failure.message } };
}

const UNMEASURED = { memoryBytes: null, pids: null } as const;
const MAX_REASON_CHARS = 200;

function healthOf({ State }: ContainerState): { health: string; healthReason?: string } {
  const { Health } = State;
  if (Health === undefined || !State.Running || Health.Status === '') return { health: 'unknown' };
  const last = Health.Log?.at(-1);
  const healthReason = last === undefined || last.ExitCode === 0 ? '' : last.Output.trim().slice(0, MAX_REASON_CHARS);
  return { health: Health.Status, ...(healthReason !== '' && { healthReason }) };
}

/** As `docker stats` counts: without the page cache that the kernel may take back at any time. */
function measure({ memory_stats, pids_stats }: ContainerStats): { memoryBytes: number | null; pids: number | null } {
  const details = (memory_stats?.stats ?? {}) as { inactive_file?: number; total_inactive_file?: number };
  const cache = details.total_inactive_file ?? details.inactive_file ?? 0;
  const usage = memory_stats?.usage;
  return {
    memoryBytes: usage === undefined ? null : Math.max(0, usage - cache),
    pids: (pids_stats as { current?: number } | undefined)?.current ?? null,
  };
}

export function describeMemory({ memoryBytes, memoryLimitBytes }: ContainerStatus): string {
  if (memoryBytes === null) return '-';
  const percent = Math.round((memoryBytes / memoryLimitBytes) * 100);
  return `${formatBytes(memoryBytes)} of ${formatBytes(memoryLimitBytes)} (${percent}%)`;
}

/** Of the node of a home. */
export function readContainerStatus(home: string, terminal: Terminal): Promise<ContainerStatus[]> {
  const { spec, target } = readDockerNode(home);
  return containerStatus(openEngine(terminal, target.engine), desiredState(spec));
}

/** What an interrupted upgrade or rollback left; undefined when all containers are of the images that the home names. */
export function describeVersions(containers: readonly ContainerStatus[]): string | undefined {
  const other = containers.filter(({ wantedImage }) => !wantedImage);
  if (other.length === 0) return undefined;
  const named = containers.map(
    ({ role, version, wantedImage }) => `${role} ${version}${wantedImage ? '' : ' (other image)'}`,
  );
  return `an upgrade or rollback was interrupted: ${named.join(', ')}; run \`nectar-byon upgrade\` or \`nectar-byon rollback\` again`;
}

/** @throws NectarError VOLUME_MISSING */
export async function requireNodeVolumes(home: string, terminal: Terminal): Promise<void> {
  const { spec, target } = readDockerNode(home);
  await requireKeptVolumes(openEngine(terminal, target.engine), desiredState(spec));
}

const GOOD = new Set(['running', 'healthy']);

export function renderContainers(containers: readonly ContainerStatus[], { style }: Pick<Output, 'style'>): string {
  const shown = (word: string): string =>
    GOOD.has(word) ? style('green', word) : style(word === 'unhealthy' || word === 'exited' ? 'red' : 'yellow', word);
  const table = renderTable(
    [
      { title: 'CONTAINER' },
      { title: 'STATE' },
      { title: 'HEALTH' },
      { title: 'RESTARTS', alignRight: true },
      { title: 'MEMORY' },
      { title: 'PROCESSES', alignRight: true },
    ],
    containers.map((one) => [
      one.name,
      shown(one.state),
      shown(one.health),
      String(one.restarts),
      describeMemory(one),
      one.pids === null ? '-' : String(one.pids),
    ]),
  );
  const reasons = containers.flatMap(({ name, failure, healthReason }) => {
    const reason = failure?.message ?? healthReason;
    return reason === undefined ? [] : [`${name}: ${printable(reason.replaceAll(/\s+/g, ' '))}`];
  });
  const left = describeVersions(containers);
  const stale = containers.filter(({ current }) => !current).map(({ name }) => name);
  const note = stale.length === 0 ? [] : [`the next \`nectar-byon up\` makes anew: ${stale.join(', ')}`];
  return [table, ...reasons, ...(left === undefined ? [] : [style('red', left)]), ...note].join('\n');
}
