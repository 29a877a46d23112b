import { NectarError } from '../../../protocol/errors.ts';
import { leaving } from '../../interruption.ts';
import type { Check } from '../../preflight.ts';
import { bringUpDocker, type DockerUp } from '../../provision/docker/bring-up.ts';
import { containerStatus } from '../../provision/docker/container-status.ts';
import { desiredState } from '../../provision/docker/desired-state.ts';
import type { Engine } from '../../provision/docker/engine.ts';
import type { ImageState } from '../../provision/docker/engine-storage.ts';
import { readDockerNode, requireTarget } from '../../provision/docker/node-spec.ts';
import { openEngine } from '../../provision/docker/open-engine.ts';
import { CONTAINER_ROLES, type ContainerRole } from '../../provision/docker/role-table.ts';
import { writeTarget } from '../../provision/docker/target-file.ts';
import type { BringUp } from '../../provision/process/bring-up.ts';
import { findLastBackup } from '../last-backup.ts';
import { checkUpgrade, engineFreeBytes } from './check-upgrade.ts';
import { leaveForEarlier, noteEarlierImages } from './earlier-images.ts';
import { type ImageSetIds, isSameImages } from './image-set.ts';
import { imagesBefore, imagesOf, targetAfter, targetBefore } from './target-images.ts';

const HALF_UPGRADED = 'the upgrade is not complete; `nectar-byon up` goes on with it, `nectar-byon rollback` goes back';

export interface UpgradeRequest extends BringUp {
  readonly engine: Engine;
  readonly to: ImageSetIds;
}

/** What an upgrade to these images would meet. Changes nothing. */
export async function examineUpgrade({ home, engine, to, terminal }: UpgradeRequest): Promise<Check[]> {
  const { spec, target } = readDockerNode(home);
  const from = imagesBefore(target, to);
  const found: Partial<Record<ContainerRole, ImageState>> = {};
  for (const role of CONTAINER_ROLES) {
    const image = await engine.images.find(to.images[role]);
    if (image !== undefined) found[role] = image;
  }
  return checkUpgrade({
    from: { version: from.programVersion, images: from.images },
    resumed: from.images !== target.images,
    to,
    found,
    containers: await containerStatus(engine, desiredState(spec)),
    freeBytes: await engineFreeBytes(engine),
    lastBackup: await findLastBackup(home),
    now: terminal.now(),
  });
}

/**
 * Replaces the containers by those of other images; volumes stay. When the node does not become usable in time, the former images are
 * brought back, and the error says why. Interrupted, it leaves the new images in target.json: `up` and `upgrade` go on, `rollback` goes back.
 *
 * @throws NectarError UPGRADE_ROLLED_BACK
 */
export async function upgradeNode(request: UpgradeRequest): Promise<DockerUp> {
  const { home, to, terminal, output } = request;
  const target = requireTarget(home);
  const before = targetBefore(target, to);
  if (!isSameImages(target.images, to.images)) await noteEarlierImages(home, target);
  await writeTarget(home, targetAfter(target, to));
  try {
    // A passphrase is wiped once sent: a rollback needs it too.
    const passphrase = request.passphrase && new Uint8Array(request.passphrase);
    return await leaving(
      terminal,
      () => HALF_UPGRADED,
      () => bringUpDocker({ ...request, passphrase }),
    );
  } catch (error) {
    if (terminal.signal.aborted) throw error;
    output.note('it did not become ready: going back');
    await writeTarget(home, before);
    await bringUpDocker(request);
    await noteWayBack(home);
    const reason = error instanceof NectarError ? error.message : String((error as Error).message);
    throw new NectarError('UPGRADE_ROLLED_BACK', { to: before.programVersion, reason }, { cause: error });
  }
}

/**
 * Back to the images before the last upgrade; run again, to those before that one. One that was interrupted goes on: where to go back to
 * from there is noted only when it is done.
 *
 * @throws NectarError UPGRADE_ROLLBACK_ABSENT
 */
export async function rollBackNode(request: BringUp): Promise<DockerUp & { readonly version: string }> {
  const { home } = request;
  const { previous, ...target } = requireTarget(home);
  const to = previous ?? imagesOf(target);
  if (previous !== undefined) await writeTarget(home, { ...target, ...previous });
  else if (!(await isMixed(request)) && !(await noteWayBack(home)))
    throw new NectarError('UPGRADE_ROLLBACK_ABSENT', { home });
  const up = await bringUpDocker(request);
  await noteWayBack(home);
  return { ...up, version: to.programVersion };
}

/** After the images that target.json names run again. False: there are no earlier ones. */
async function noteWayBack(home: string): Promise<boolean> {
  const target = requireTarget(home);
  if (target.previous !== undefined) return true;
  const previous = await leaveForEarlier(home, imagesOf(target));
  if (previous === undefined) return false;
  await writeTarget(home, { ...target, previous });
  return true;
}

/** Whether some container is of another image than the home names. What target.json says is a wish: the containers are what is so. */
export async function isMixed({ home, terminal }: Pick<BringUp, 'home' | 'terminal'>): Promise<boolean> {
  const { spec, target } = readDockerNode(home);
  const containers = await containerStatus(openEngine(terminal, target.engine), desiredState(spec));
  return containers.some(({ state, wantedImage }) => !wantedImage || state === 'absent');
}
