import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { action, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { confirmByTyping } from '../prompt.ts';
import { findTarget } from '../provision/docker/target-file.ts';
import { findClusterTarget } from '../provision/kubernetes/cluster-target.ts';
import { overwriteAndRemove } from '../provision/process/overwrite.ts';
import { stopProcess } from '../provision/process/stop-node.ts';
import { showWork } from '../render/work.ts';
import type { Terminal } from '../terminal.ts';

interface DestroyOptions {
  readonly yes?: boolean;
  readonly keepKeyFile?: boolean;
}

export function registerDestroy(program: Command, terminal: Terminal): void {
  addVerb(program, 'destroy', {
    summary: 'destroy the node with every record in it, for good',
    about:
      'First the wrapped root key and the key file are overwritten and removed, which makes every byte of the home and every replica unreadable; then the folder goes. It never touches a folder that is not the home of a node.',
    examples: ['destroy', 'destroy --home /srv/test --yes'],
  })
    .addOption(new Option('-y, --yes', 'do not ask'))
    .addOption(new Option('--keep-key-file', 'leave the key file where it is'))
    .action(action(terminal, destroy));
}

async function destroy({ home, options, terminal, output }: Call<DestroyOptions>): Promise<void> {
  requireHome(home);
  const nodeId = await readNodeId(home);
  const expected = nodeId.slice(0, 8);
  await confirmByTyping(terminal, {
    action: `destroying the node in ${home}`,
    message: `This destroys the node in ${home} and every record in it for good. Type ${expected} to go on.`,
    expected,
    yes: options.yes === true,
  });
  const keyFile = await keyFileOf(home);
  // The system's scheduler would start a node's report for ever, on a home that is gone.
  const { removeSchedule } = await import('../harden/schedule/set-schedule.ts');
  await removeSchedule(home, terminal).catch((error: Error) => output.note(`the schedule stays: ${error.message}`));
  const { removeBackupSchedules } = await import('../life/repository/backup-schedule.ts');
  await removeBackupSchedules(home, terminal).catch((error: Error) =>
    output.note(`the schedule of backups stays: ${error.message}`),
  );
  const { removeService } = await import('../service/node-service.ts');
  await removeService(home, terminal).catch((error: Error) => output.note(`the service stays: ${error.message}`));
  const cluster = findClusterTarget(home);
  const target = cluster === undefined ? findTarget(home) : undefined;
  await showWork(terminal, output, 'destroying the node', async (say) => {
    if (cluster !== undefined) {
      const { removeRelease } = await import('../provision/kubernetes/remove-release.ts');
      const ownKey = options.keepKeyFile === true ? undefined : keyFile;
      await removeRelease({ home, target: cluster, keyFile: ownKey, say, terminal });
      return;
    }
    if (target !== undefined) {
      const { removeNode } = await import('../provision/docker/remove-node.ts');
      const { openEngine } = await import('../provision/docker/open-engine.ts');
      const removed = await removeNode(openEngine(terminal, target.engine), {
        ...{ nodeId: target.nodeId, version: target.programVersion, storeImage: target.images.store, say },
        keyFile: options.keepKeyFile === true ? undefined : keyFile,
      });
      if (!removed.shredded)
        output.note('The keys could not be overwritten before they were removed: see to the disk of the engine.');
      if (keyFile !== undefined && options.keepKeyFile !== true) await rm(keyFile, { force: true });
      await rm(home, { recursive: true, force: true });
      return;
    }
    await stopProcess(home, { signal: terminal.signal });
    // Keys first: whatever interrupts the rest leaves ciphertext that nobody opens.
    await overwriteAndRemove(join(home, 'keys.json'));
    if (keyFile !== undefined && options.keepKeyFile !== true) await overwriteAndRemove(keyFile);
    await rm(home, { recursive: true, force: true });
  });
  output.result({ home, nodeId, destroyed: true }, `the node in ${home} is destroyed`);
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
