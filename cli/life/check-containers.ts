import { guidanceOf } from '../errors/guidance-of.ts';
import type { Check } from '../preflight.ts';
import { type ContainerStatus, describeMemory, describeVersions } from '../provision/docker/container-status.ts';
import type { LostVolume } from '../provision/docker/kept-volumes.ts';
import { formatDuration } from '../render/quantities.ts';

const FULL = 0.9;
const TIGHT = 0.75;
const OLD_IMAGE_MS = 180 * 86_400_000;

/** Each container: does it run, is it well, has it been restarted, how near is it to its memory limit? */
export function checkContainers(containers: readonly ContainerStatus[]): Check[] {
  return [...checkVersions(containers), ...checkEach(containers)];
}

function checkEach(containers: readonly ContainerStatus[]): Check[] {
  return containers.flatMap((one) => [checkState(one), ...(one.memoryBytes === null ? [] : [checkMemoryOf(one)])]);
}

function checkVersions(containers: readonly ContainerStatus[]): Check[] {
  const value = describeVersions(containers);
  if (value === undefined) return [];
  return [{ name: 'versions', value, grade: 'bad', advice: '`nectar-byon upgrade` or `nectar-byon rollback` again' }];
}

/** A container that hangs (SIGSTOP, a dead disk) still runs for the engine: only its healthcheck shows it. */
function checkState({
  role,
  state,
  health,
  healthReason,
  failure,
  outOfMemory,
  restarts,
  current,
}: ContainerStatus): Check {
  const name = `container ${role}`;
  const times = restarts === 1 ? '1 restart' : `${restarts} restarts`;
  const value = `${state}, ${health}, ${times}`;
  if (failure !== undefined) {
    const { remedy } = guidanceOf(failure.code);
    return { name, value: `${value}: ${failure.message}`, grade: 'bad', advice: remedy };
  }
  if (state !== 'running') return { name, value, grade: 'bad', advice: '`nectar-byon up`, then `nectar-byon logs`' };
  if (health === 'unhealthy') {
    const why = healthReason === undefined ? '' : `: ${healthReason.replaceAll(/\s+/g, ' ').slice(0, 80)}`;
    return {
      name,
      value: `${value}${why}`,
      grade: 'bad',
      advice: '`nectar-byon logs`; `down` and `up` start it afresh',
    };
  }
  if (health === 'starting') return { name, value, grade: 'poor', advice: 'look again in a minute' };
  if (!current) return { name, value: `${value}, not as configured`, grade: 'poor', advice: 'nectar-byon up' };
  if (outOfMemory === true) {
    const advice = 'raise limits in target.json, then `nectar-byon up`';
    return { name, value: `${value}, the last one for want of memory`, grade: 'poor', advice };
  }
  if (restarts > 0) return { name, value, grade: 'poor', advice: '`nectar-byon logs` says why it ended' };
  return { name, value, grade: 'good' };
}

function checkMemoryOf(one: ContainerStatus): Check {
  const share = (one.memoryBytes ?? 0) / one.memoryLimitBytes;
  const grade = share > FULL ? 'bad' : share > TIGHT ? 'poor' : 'good';
  const advice = { advice: 'raise limits in target.json, then `nectar-byon up`' };
  return { name: `memory ${one.role}`, value: describeMemory(one), grade, ...(grade !== 'good' && advice) };
}

/** Of the oldest image: libraries in it get no corrections by themselves. */
export function checkImageAge(createdAt: readonly number[], now: number): Check {
  const oldest = Math.min(...createdAt);
  if (!Number.isFinite(oldest))
    return { name: 'images', value: 'not there', grade: 'bad', advice: 'nectar-byon bundle load FILE' };
  const age = now - oldest;
  const value = `${formatDuration(Math.max(0, age))} old`;
  if (age <= OLD_IMAGE_MS) return { name: 'images', value, grade: 'good' };
  return { name: 'images', value, grade: 'poor', advice: 'look for a newer version: nectar-byon upgrade' };
}

/** A volume that was filled once and is gone: whoever starts without it has an empty node. */
export function checkVolumes(lost: readonly LostVolume[]): Check {
  const name = 'volumes';
  if (lost.length === 0) return { name, value: 'all there', grade: 'good' };
  const value = `MISSING: ${lost.map((one) => one.name).join(', ')}`;
  return { name, value, grade: 'bad', advice: guidanceOf('VOLUME_MISSING').remedy };
}
