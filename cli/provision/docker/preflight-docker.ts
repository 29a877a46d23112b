import { statfs } from 'node:fs/promises';
import { type Check, checkClock, checkFolder, checkNode, checkPort, gradeDisk } from '../../preflight.ts';
import { formatBytes, formatDuration } from '../../render/quantities.ts';
import type { Terminal } from '../../terminal.ts';
import type { Engine } from './engine.ts';
import type { EngineFacts } from './engine-facts.ts';
import type { DockerPlan } from './plan-docker.ts';
import { CONTAINER_ROLES, DEFAULT_LIMITS, LABELS } from './role-table.ts';

const GOOD_DRIVERS = ['overlay2', 'overlay', 'fuse-overlayfs', 'overlayfs', 'btrfs', 'zfs'];
const GOOD_SKEW_MS = 2_000;
const MAX_SKEW_MS = 60_000;
const IDLE_BYTES = 512 * 1024 * 1024;

/** Looks at this machine and the engine before anything is made. Changes nothing. */
export async function preflightDocker(
  engine: Engine,
  plan: DockerPlan,
  { terminal, l1Rpc }: { readonly terminal: Terminal; readonly l1Rpc: string | undefined },
): Promise<Check[]> {
  const facts = await engine.facts();
  const nodes = new Set((await engine.containers.list([LABELS.node])).map(({ Labels }) => Labels[LABELS.node]));
  const local = engine.url.startsWith('unix:');
  return [
    checkNode(process.versions.node),
    checkEngine(facts, engine.url),
    checkStorage(facts),
    await checkEngineDisk(facts, local),
    checkCgroups(facts),
    checkRootless(facts),
    checkSeccomp(facts),
    checkEngineMemory(facts),
    checkEngineClock(facts, terminal.now()),
    ...CONTAINER_ROLES.map((role) => checkImage(plan.images[role])),
    { name: 'other nodes', value: `${nodes.size} on this engine`, grade: 'good' },
    await checkFolder(plan.home),
    // An engine elsewhere publishes on its own machine, which we cannot look at.
    ...(local
      ? [
          await checkPort({ name: 'API port', port: plan.port, host: plan.host }),
          await checkPort({ name: 'p2p port', port: plan.p2pPort, host: p2pHost(plan) }),
        ]
      : []),
    await checkClock(terminal, l1Rpc),
  ];
}

function p2pHost({ config }: DockerPlan): string {
  return (config.p2p as { listenHost: string }).listenHost;
}

export function checkEngine({ kind, version, apiVersion }: EngineFacts, url: string): Check {
  return { name: 'engine', value: `${kind} ${version}, API ${apiVersion}, ${url}`, grade: 'good' };
}

export function checkStorage({ storageDriver }: EngineFacts): Check {
  if (GOOD_DRIVERS.includes(storageDriver)) return { name: 'storage driver', value: storageDriver, grade: 'good' };
  const advice = 'overlay2 is faster and takes less room';
  return { name: 'storage driver', value: storageDriver, grade: 'poor', advice };
}

async function checkEngineDisk({ rootFolder }: EngineFacts, local: boolean): Promise<Check> {
  try {
    if (!local) throw new Error('on another machine');
    const { bavail, bsize } = await statfs(rootFolder);
    return { ...gradeDisk(bavail * bsize), name: 'engine disk' };
  } catch {
    const advice = 'look yourself: records need room there';
    return { name: 'engine disk', value: `${rootFolder} cannot be looked at from here`, grade: 'poor', advice };
  }
}

export function checkCgroups({ cgroupVersion, warnings }: EngineFacts): Check {
  const value = `version ${cgroupVersion}`;
  if (warnings.length === 0) return { name: 'cgroups', value, grade: 'good' };
  return { name: 'cgroups', value, grade: 'poor', advice: `limits are not enforced: ${warnings.join('; ')}` };
}

/** With either, the volumes and the key file belong to users that the roles are not: their containers would end again and again. */
export function checkRootless({ rootless, remapped, kind }: EngineFacts): Check {
  if (remapped) {
    const advice =
      'an engine without userns-remap: with it the key file and volumes belong to other users than the roles';
    return { name: 'engine user', value: 'remapped (userns-remap), not supported', grade: 'bad', advice };
  }
  if (rootless && kind === 'podman') {
    const advice =
      "root's Podman (`sudo systemctl start podman.socket`), or Docker: rootless Podman gives volumes and the key file to other users than the roles";
    return { name: 'engine user', value: 'rootless Podman, not supported', grade: 'bad', advice };
  }
  if (rootless) {
    const advice = "root's Docker where you can: this program was not tried on rootless Docker yet";
    return { name: 'engine user', value: 'rootless Docker, not tried', grade: 'poor', advice };
  }
  return { name: 'engine user', value: 'root', grade: 'good' };
}

/** Without a filter on system calls a container has the whole kernel before it: that is not the node we promise. */
export function checkSeccomp({ seccomp }: EngineFacts): Check {
  if (seccomp) return { name: 'seccomp', value: 'available', grade: 'good' };
  const advice = 'use an engine and a kernel with seccomp';
  return { name: 'seccomp', value: 'not available', grade: 'bad', advice };
}

export function checkEngineMemory({ memoryBytes }: EngineFacts): Check {
  const most = CONTAINER_ROLES.reduce((sum, role) => sum + DEFAULT_LIMITS[role].memoryBytes, 0);
  const value = `${formatBytes(memoryBytes)}, of which the node takes ${formatBytes(most)} at most`;
  if (memoryBytes < IDLE_BYTES) {
    return { name: 'memory', value, grade: 'bad', advice: `needs ${formatBytes(IDLE_BYTES)} at least` };
  }
  if (memoryBytes < most) {
    return { name: 'memory', value, grade: 'poor', advice: 'give it more, or lower the limits in target.json' };
  }
  return { name: 'memory', value, grade: 'good' };
}

export function checkEngineClock({ clock }: EngineFacts, now: number): Check {
  if (clock === undefined) {
    return { name: 'engine clock', value: 'not told', grade: 'poor', advice: 'check that it runs on NTP' };
  }
  const skew = Math.abs(clock - now);
  const value = `${formatDuration(skew)} from this one`;
  if (skew > MAX_SKEW_MS) return { name: 'engine clock', value, grade: 'bad', advice: 'use NTP on both machines' };
  if (skew > GOOD_SKEW_MS) return { name: 'engine clock', value, grade: 'poor', advice: 'use NTP on both machines' };
  return { name: 'engine clock', value, grade: 'good' };
}

export function checkImage({ name, id }: DockerPlan['images']['store']): Check {
  if (id !== undefined) return { name: 'image', value: `${name} is ${id.slice(7, 19)}`, grade: 'good' };
  const advice = 'assemble it with `node scripts/images.ts build`, or `nectar-byon bundle load FILE`';
  return { name: 'image', value: `${name} is not there`, grade: 'bad', advice };
}
