import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { describeLoss, findRemains } from '../life/what-remains.ts';
import { confirmByTyping } from '../prompt.ts';
import { type DockerTarget, findTarget } from '../provision/docker/target-file.ts';
import { findClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { overwriteAndRemove } from '../provision/process/overwrite.ts';
import { stopProcess } from '../provision/process/stop-node.ts';
import { type Say, showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';

interface DestroyOptions {
  readonly yes?: boolean;
  readonly andKeyFile?: string;
}

export function registerDestroy(program: Command, terminal: Terminal): void {
  addVerb(program, 'destroy', {
    summary: 'destroy the node with every record in it, for good',
    about:
      'The wrapped root key is overwritten and removed first, which makes every byte of the home and every replica unreadable; then the folder goes. The key file stays: backups of the node need it, and it opens nothing else. With --and-key-file it is overwritten too, and every backup that only it opens is unreadable. It never touches a folder that is not the home of a node.',
    examples: ['destroy', 'destroy --home /srv/test --yes', 'destroy --and-key-file /etc/nectar/clinic.key'],
  })
    .addOption(new Option('-y, --yes', 'do not ask'))
    .addOption(
      new Option(
        '--and-key-file <path>',
        'overwrite the key file too: named, so that no copy is destroyed by accident',
      ),
    )
    // The only way there is by now.
    .addOption(new Option('--keep-key-file').hideHelp())
    .action(action(terminal, destroy));
}

async function destroy(call: Call<DestroyOptions>): Promise<void> {
  const { home, options, terminal, output } = call;
  requireHome(home);
  const nodeId = await readNodeId(home);
  const expected = nodeId.slice(0, 8);
  const keyFile = await keyFileOf(home);
  const doomedKey = requireKeyFile(call, keyFile);
  for (const line of describeLoss(await findRemains(home, keyFile), doomedKey !== undefined)) output.note(line);
  await confirmByTyping(terminal, {
    action: `destroying the node in ${home}`,
    message: `This destroys the node in ${home} and every record in it for good. Type ${expected} to go on.`,
    expected,
    yes: options.yes === true,
  });
  await removeSchedules(call);
  const cluster = findClusterTarget(home);
  const target = cluster === undefined ? findTarget(home) : undefined;
  await showWork(terminal, output, 'destroying the node', async (say) => {
    if (cluster !== undefined) {
      const { removeRelease } = await import('../provision/kubernetes/remove-release.ts');
      return removeRelease({ home, target: cluster, keyFile: doomedKey, say, terminal });
    }
    if (target !== undefined) return destroyContainers(call, { target, keyFile, doomedKey, say });
    await stopProcess(home, { signal: terminal.signal });
    // Keys first: whatever interrupts the rest leaves ciphertext that nobody opens.
    await overwriteAndRemove(join(home, 'keys.json'));
    if (doomedKey !== undefined) await overwriteAndRemove(doomedKey);
    await rm(home, { recursive: true, force: true });
  });
  const kept = doomedKey === undefined && keyFile !== undefined ? { keyFile } : {};
  output.result({ home, nodeId, destroyed: true, ...kept }, `the node in ${home} is destroyed`);
}

/** The key file to be overwritten: only the one that opens this node, and only by its name. @throws NectarError CLI_USAGE */
function requireKeyFile({ options, terminal }: Call<DestroyOptions>, keyFile: string | undefined): string | undefined {
  if (options.andKeyFile === undefined) return undefined;
  const named = resolve(terminal.workingFolder, options.andKeyFile);
  if (keyFile !== undefined && resolve(keyFile) === named) return keyFile;
  const own = keyFile === undefined ? 'it has none' : `that is ${keyFile}`;
  throw new NectarError('CLI_USAGE', { problem: `${named} is not the key file of this node: ${own}` });
}

/** The system's scheduler would start a node's report or backup for ever, on a home that is gone. */
async function removeSchedules({ home, terminal, output }: Call<DestroyOptions>): Promise<void> {
  const { removeSchedule } = await import('../harden/schedule/set-schedule.ts');
  await removeSchedule(home, terminal).catch((error: Error) => output.note(`the schedule stays: ${error.message}`));
  const { removeBackupSchedules } = await import('../life/repository/backup-schedule.ts');
  await removeBackupSchedules(home, terminal).catch((error: Error) =>
    output.note(`the schedule of backups stays: ${error.message}`),
  );
  const { removeService } = await import('../service/node-service.ts');
  await removeService(home, terminal).catch((error: Error) => output.note(`the service stays: ${error.message}`));
}

interface DestroyContainers {
  readonly target: DockerTarget;
  readonly keyFile: string | undefined;
  readonly doomedKey: string | undefined;
  readonly say: Say;
}

async function destroyContainers(
  { home, terminal, output }: Call<DestroyOptions>,
  { target, keyFile, doomedKey, say }: DestroyContainers,
): Promise<void> {
  const { removeNode } = await import('../provision/docker/remove-node.ts');
  const { openEngine } = await import('../provision/docker/open-engine.ts');
  const engine = openEngine(terminal, target.engine);
  const { giveKeyFileBack, takeKeyFile } = await import('../provision/docker/key-file.ts');
  const { nodeId, programVersion: version, images } = target;
  // What cannot be taken is not overwritten either, which is said below.
  if (doomedKey !== undefined) await takeKeyFile(engine, { nodeId, version, images }, doomedKey).catch(() => undefined);
  const removed = await removeNode(engine, {
    ...{ nodeId, version, storeImage: images.store, say },
    keyFile: doomedKey,
  });
  if (!removed.shredded)
    output.note('The keys could not be overwritten before they were removed: see to the disk of the engine.');
  if (doomedKey !== undefined) await rm(doomedKey, { force: true });
  else if (keyFile !== undefined) {
    // A container that is gone reads it no more, and whoever keeps the backups must be able to.
    await giveKeyFileBack(engine, { nodeId, version, images }, keyFile).catch((error: Error) =>
      output.note(`the key file stays as the container had it: ${error.message}`),
    );
  }
  await rm(home, { recursive: true, force: true });
}

async function readNodeId(home: string): Promise<string> {
  try {
    const { nodeId } = JSON.parse(await readFile(join(home, 'identity', 'public.json'), 'utf8')) as {
      nodeId?: unknown;
    };
    if (typeof nodeId === 'string' && nodeId.length >= 8) return nodeId;
  } catch {
    // A damaged home may be destroyed as well: the question then asks for a word that anybody can type.
  }
  return 'destroy!';
}

async function keyFileOf(home: string): Promise<string | undefined> {
  const { loadConfig } = await import('../../appliance/config/load.ts');
  try {
    const { keyFile } = loadConfig({ home }).config.keys;
    return keyFile === '' ? undefined : keyFile;
  } catch {
    return undefined;
  }
}
