import { existsSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../../appliance/durable-file.ts';
import { NectarError } from '../../protocol/errors.ts';
import { ENTRY } from '../entry.ts';
import { quoteShellWord } from '../schedule/crontab.ts';
import { runProgram } from '../schedule/run-program.ts';
import type { Terminal } from '../terminal.ts';
import { MACHINE_FOLDERS } from './machine-folders.ts';
import { refuseService } from './refuse-service.ts';
import { type NodeService, serviceName } from './service-unit.ts';
import type { Starter } from './starters.ts';

/**
 * A service of the machine that OpenRC supervises, as the owner of the home. supervise-daemon evaluates its variables once more
 * (supervise-daemon.sh), so what a shell may not touch is quoted twice.
 */
export function openrcScript({ home, nodeId, user }: NodeService): string {
  const twice = (words: readonly string[]): string => quoteShellWord(words.map(quoteShellWord).join(' '));
  const log = twice([join(home, 'logs', 'node.log')]);
  return [
    '#!/sbin/openrc-run',
    `description="Nectar BYON node ${nodeId.slice(0, 8)}"`,
    'supervisor=supervise-daemon',
    `command=${twice([process.execPath])}`,
    `command_args=${twice([ENTRY, 'run', 'all', '--home', home, '--json'])}`,
    `command_user=${quoteShellWord(user)}`,
    `pidfile=/run/${serviceName(nodeId)}.pid`,
    `output_log=${log}`,
    `error_log=${log}`,
    'umask=0077',
    'retry="TERM/60/KILL/5"',
    // What a person must mend ends at once, and is not tried for ever.
    'respawn_delay=5',
    'respawn_max=10',
    'respawn_period=120',
    'export NECTAR_DEBUG=1',
    '',
    'depend() {',
    '\tuse localmount net',
    '\tafter localmount net bootmisc',
    '}',
    '',
  ].join('\n');
}

export function createOpenrcStarter(
  service: NodeService,
  { env, signal }: Pick<Terminal, 'env' | 'signal'>,
  scripts: string = MACHINE_FOLDERS.scripts,
): Starter {
  const name = serviceName(service.nodeId);
  const path = join(scripts, name);
  const update = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await runProgram(['rc-update', ...args], { env, signal }).catch((error: unknown) =>
      refuseService('openrc', error),
    );
    if (code !== 0) refuseService('openrc', stderr.trim() || `exit ${code}`);
  };
  return {
    name: 'openrc',
    ofTheMachine: true,
    text: openrcScript(service),
    async install() {
      if (!service.system) refuseService('openrc', 'only root adds a service; `--by crontab` needs no root');
      // Seen of OpenRC 0.45: it says that it has started the program, which ends at once.
      if (/^\d+$/.test(service.user))
        refuseService('openrc', `uid ${service.user}, which owns the home, has no name in /etc/passwd`);
      try {
        await replaceFile(path, openrcScript(service), 0o755);
        // The file's mode is held against the umask.
        await chmod(path, 0o755);
        await update('add', name, 'default');
      } catch (error) {
        await rm(path, { force: true }).catch(() => undefined);
        if (error instanceof NectarError) throw error;
        refuseService('openrc', error);
      }
      return [];
    },
    async remove() {
      if (!existsSync(path)) return;
      await update('del', name, 'default').catch(() => undefined);
      await rm(path, { force: true }).catch((error: unknown) => refuseService('openrc', error));
    },
    isInstalled: async () => existsSync(path),
  };
}
