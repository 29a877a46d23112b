import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import type { ImageSetIds } from '../life/upgrade/image-set.ts';
import type { Engine } from '../provision/docker/engine.ts';
import { findClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { type ReleaseKeyOptions, releaseKeyOptions } from '../release/release-key-options.ts';
import { renderChecks } from '../render/checks.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';
import { passphraseFileOption } from './unlock.ts';
import { requireDuration } from './up.ts';

interface UpgradeOptions extends ReleaseKeyOptions {
  readonly imageSet?: string;
  readonly plan?: boolean;
  readonly passphraseFile?: string;
  readonly timeout: string;
}

export function registerUpgrade(program: Command, terminal: Terminal): void {
  const upgrading = addVerb(program, 'upgrade', {
    summary: 'have a newer version run the node; goes back by itself when that does not become ready',
    about:
      'Data stays where it is. Looks first at versions, images, health, disk and the age of the last backup. Containers are replaced by those of the new images; an image set has to be signed by a trusted key (the signatures lie beside it, where `bundle load --to` left them). For a node that runs as a process install the new version into a folder of its own and call `upgrade` of that one: it ends the process of the version before and runs the node itself. Interrupted, it can be run again.',
    examples: [
      'upgrade                                     # to the images of this program',
      'upgrade --image-set digests.lock.json --plan',
      'upgrade --image-set digests.lock.json --timeout 10m',
    ],
  })
    .addOption(
      new Option(
        '--image-set <file>',
        'digests.lock.json of a release, which `bundle load --to` leaves (default: the images of this program)',
      ),
    )
    .addOption(new Option('--plan', 'only look; change nothing'))
    .addOption(passphraseFileOption())
    .addOption(new Option('--timeout <duration>', 'how long the new version has to become ready').default('180s'))
    .action(action(terminal, upgrade));
  for (const option of releaseKeyOptions()) upgrading.addOption(option);
}

async function upgrade(call: Call<UpgradeOptions>): Promise<void> {
  const { home, options, terminal, output } = call;
  requireHome(home);
  const timeoutMs = requireDuration(options.timeout);
  if (findClusterTarget(home) !== undefined) return upgradeInCluster(call, timeoutMs);
  const { findTarget } = await import('../provision/docker/target-file.ts');
  const target = findTarget(home);
  if (target === undefined) return upgradeOfProcess(call, timeoutMs);
  const { openEngine } = await import('../provision/docker/open-engine.ts');
  const { isSameImages } = await import('../life/upgrade/image-set.ts');
  const { examineUpgrade, isMixed, upgradeNode } = await import('../life/upgrade/upgrade-node.ts');
  const { imagesBefore } = await import('../life/upgrade/target-images.ts');
  const engine = openEngine(terminal, target.engine);
  const to =
    options.imageSet === undefined ? await findOwnSet(engine, options) : await readTrustedSet(call, options.imageSet);
  const from = imagesBefore(target, to).programVersion;
  if (isSameImages(target.images, to.images) && !(await isMixed({ home, terminal }))) {
    output.result(
      { home, from, to: to.version, changed: false },
      `the containers are of these images already (${from})`,
    );
    return;
  }
  const { passphraseFile } = options;
  const request = { home, engine, to, terminal, output, timeoutMs, passphraseFile };
  const checks = await examineUpgrade(request);
  if (options.plan === true || !output.json) output.note(renderChecks(checks, output));
  const problems = checks.filter(({ grade }) => grade === 'bad').map(({ name, value }) => `${name}: ${value}`);
  if (problems.length > 0) throw new NectarError('UPGRADE_REFUSED', { problems });
  if (options.plan === true) {
    output.result(
      { home, from, to: to.version, checks, changed: false },
      `ready to upgrade from ${from} to ${to.version}`,
    );
    return;
  }
  const { gateway, ready } = await upgradeNode(request);
  output.result({ home, from, to: to.version, gateway, ready, changed: true }, () =>
    ready
      ? `upgraded from ${from} to ${to.version}, ready at ${gateway}`
      : `upgraded to ${to.version}, and locked: \`nectar-byon unlock\``,
  );
}

/** Another installation of this program takes over from the one that runs. */
async function upgradeOfProcess(call: Call<UpgradeOptions>, timeoutMs: number): Promise<void> {
  const { home, options, terminal, output } = call;
  if (options.imageSet !== undefined) throw new NectarError('UPGRADE_NOT_CONTAINERS', { home });
  const { examineProcess, upgradeProcess } = await import('../life/upgrade/upgrade-process.ts');
  const found = await examineProcess(call);
  const { checks, from, isDone } = found;
  if (isDone) {
    output.result({ home, from, to: VERSION, changed: false }, `this program runs the node already (${VERSION})`);
    return;
  }
  if (options.plan === true || !output.json) output.note(renderChecks([...checks], output));
  const problems = checks.filter(({ grade }) => grade === 'bad').map(({ name, value }) => `${name}: ${value}`);
  if (problems.length > 0) throw new NectarError('UPGRADE_REFUSED', { problems });
  if (options.plan === true) {
    output.result({ home, from, to: VERSION, checks, changed: false }, `ready to upgrade from ${from} to ${VERSION}`);
    return;
  }
  const { passphraseFile } = options;
  const { gateway, ready } = await upgradeProcess({ home, terminal, output, timeoutMs, passphraseFile }, found);
  output.result({ home, from, to: VERSION, gateway, ready, changed: true }, () =>
    ready
      ? `upgraded from ${from} to ${VERSION}, ready at ${gateway}`
      : `upgraded to ${VERSION}, and locked: \`nectar-byon unlock\``,
  );
}

/**
 * The images of this program: those that its own list of digests names, where it came with one. A name in the engine may mean anything.
 *
 * @throws NectarError CLI_IMAGE_MISSING, RELEASE_ARTIFACT_FOREIGN
 */
async function findOwnSet(engine: Engine, { unsigned }: UpgradeOptions): Promise<ImageSetIds> {
  const { findImageSet, requireLocked } = await import('../life/upgrade/image-set.ts');
  const { readImageLock } = await import('../harden/sources/image-lock.ts');
  const found = await findImageSet(engine, VERSION);
  if (unsigned !== true) requireLocked(found, readImageLock(), engine.url);
  return found;
}

/** @throws NectarError RELEASE_SIGNATURE_MISSING, RELEASE_SIGNATURE_INVALID, RELEASE_KEY_UNKNOWN, RELEASE_ARTIFACT_FOREIGN */
async function readTrustedSet({ options, terminal }: Call<UpgradeOptions>, file: string): Promise<ImageSetIds> {
  const { readImageSet } = await import('../life/upgrade/image-set.ts');
  const { chooseReleaseKeys } = await import('../release/release-keys.ts');
  const { requireSignedFile } = await import('../release/verify-release.ts');
  const path = resolve(terminal.workingFolder, file);
  const keys = await chooseReleaseKeys(options, terminal);
  return readImageSet(path, async (bytes) => {
    if (keys !== undefined) await requireSignedFile(path, bytes, keys);
  });
}

/** The chart and the images of this program; what `--plan` shows is helm's business. */
async function upgradeInCluster(
  { home, options, terminal, output }: Call<UpgradeOptions>,
  timeoutMs: number,
): Promise<void> {
  if (options.imageSet !== undefined || options.plan === true)
    throw new NectarError('CLI_USAGE', { problem: '--image-set and --plan are for containers: see `helm diff`' });
  const { requireClusterTarget } = await import('../provision/kubernetes/cluster-target.ts');
  const { upgradeRelease } = await import('../provision/kubernetes/upgrade-release.ts');
  const { passphraseFile } = options;
  const from = requireClusterTarget(home).programVersion;
  const { gateway, ready } = await upgradeRelease({ home, terminal, output, timeoutMs, passphraseFile });
  output.result({ home, from, to: VERSION, gateway, ready, changed: true }, () =>
    ready
      ? `upgraded from ${from} to ${VERSION}, ready at ${gateway}`
      : `upgraded to ${VERSION}, and locked: \`nectar-byon unlock\``,
  );
}
