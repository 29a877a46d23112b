import { statfs } from 'node:fs/promises';
import { type Check, gradeDisk } from '../../preflight.ts';
import type { ContainerStatus } from '../../provision/docker/container-status.ts';
import type { Engine } from '../../provision/docker/engine.ts';
import type { ImageState } from '../../provision/docker/engine-storage.ts';
import { CONTAINER_ROLES, type ContainerRole, LABELS } from '../../provision/docker/role-table.ts';
import { checkBackupAge } from '../check-backup.ts';
import type { LastBackup } from '../last-backup.ts';
import { compareVersions, type ImageSetIds } from './image-set.ts';

export interface UpgradeFacts {
  readonly from: ImageSetIds;
  readonly to: ImageSetIds;
  /** It was interrupted, and goes on. */
  readonly resumed?: boolean;
  /** What the engine has of `to`. */
  readonly found: Readonly<Partial<Record<ContainerRole, ImageState>>>;
  readonly containers: readonly ContainerStatus[];
  /** Of the engine's volumes; undefined: it cannot be looked at from here. */
  readonly freeBytes: number | undefined;
  readonly lastBackup: LastBackup | undefined;
  readonly now: number;
}

/** Before anything is touched: may these containers be replaced by those? */
export function checkUpgrade(facts: UpgradeFacts): Check[] {
  return [
    checkOrder(facts.from.version, facts.to.version),
    ...CONTAINER_ROLES.map((role) => checkNewImage(role, facts)),
    checkRunning(facts),
    ...(facts.freeBytes === undefined ? [] : [{ ...gradeDisk(facts.freeBytes), name: 'engine disk' }]),
    checkBackupAge(facts.lastBackup, facts.now),
  ];
}

export function checkOrder(from: string, to: string): Check {
  const order = compareVersions(to, from);
  const value = order === 0 ? `${to}, other images of it` : `${from} to ${to}`;
  if (order >= 0) return { name: 'version', value, grade: 'good' };
  const advice = 'an older program may not read what this one wrote; `nectar-byon rollback` undoes the last upgrade';
  return { name: 'version', value, grade: 'bad', advice };
}

/** An image of another role, or of another version than the set says, would pass as an id and fail as a node. */
function checkNewImage(role: ContainerRole, { to, found }: UpgradeFacts): Check {
  const name = `image ${role}`;
  const id = to.images[role].slice(7, 19);
  const image = found[role];
  if (image === undefined) {
    return { name, value: `${id} is not there`, grade: 'bad', advice: 'nectar-byon bundle load FILE' };
  }
  const labels = image.Config.Labels ?? {};
  if (labels[LABELS.role] === role && labels[LABELS.version] === to.version) return { name, value: id, grade: 'good' };
  const value = `${id} is of ${labels[LABELS.role] ?? 'no role'} ${labels[LABELS.version] ?? 'without a version'}`;
  return { name, value, grade: 'bad', advice: `needs ${role} ${to.version}` };
}

/** A node that is not well before cannot show that it is well after. */
function checkRunning({ containers, resumed }: UpgradeFacts): Check {
  const unwell = containers.filter(({ state, health }) => state !== 'running' || health === 'unhealthy');
  if (unwell.length === 0) return { name: 'containers', value: `${containers.length} running`, grade: 'good' };
  const value = unwell.map(({ role, state, health }) => `${role} ${state === 'running' ? health : state}`).join(', ');
  if (resumed === true)
    return { name: 'containers', value, grade: 'poor', advice: 'an upgrade was interrupted: it goes on' };
  return { name: 'containers', value, grade: 'bad', advice: '`nectar-byon up` and `nectar-byon doctor` first' };
}

/** Where the engine keeps volumes: of its own machine, so only where that is this one. */
export async function engineFreeBytes(engine: Engine): Promise<number | undefined> {
  if (!engine.url.startsWith('unix:')) return undefined;
  try {
    const { bavail, bsize } = await statfs((await engine.facts()).rootFolder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
