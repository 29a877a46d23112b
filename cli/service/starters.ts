import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../../appliance/durable-file.ts';
import { NectarError } from '../../protocol/errors.ts';
import { ENTRY } from '../entry.ts';
import { quoteShellWord } from '../schedule/crontab.ts';
import { runProgram } from '../schedule/run-program.ts';
import { unitFolder } from '../schedule/systemd.ts';
import type { Terminal } from '../terminal.ts';
import { refuseService } from './refuse-service.ts';
import { type NodeService, nodeUnit, serviceName } from './service-unit.ts';

/** What starts a node when the machine starts. */
export interface Starter {
  readonly name: 'systemd' | 'openrc' | 'crontab';
  /** Of the machine: only root changes it. */
  readonly ofTheMachine: boolean;
  /** What `install` writes. */
  readonly text: string;
  /** Replaces an earlier one; nothing is started now. Returns what the person should do besides. @throws NectarError CLI_SERVICE_REFUSED */
  install(): Promise<readonly string[]>;
  /** Does nothing where there is none. @throws NectarError CLI_SERVICE_REFUSED */
  remove(): Promise<void>;
  isInstalled(): Promise<boolean>;
}

export function createSystemdStarter(
  service: NodeService,
  { env, signal, userFolder }: Terminal,
  folder: string = unitFolder(service.system, userFolder, env),
): Starter {
  const { system, nodeId } = service;
  const name = `${serviceName(nodeId)}.service`;
  const path = join(folder, name);
  const systemctl = async (...args: string[]): Promise<void> => {
    const argv: [string, ...string[]] = ['systemctl', ...(system ? [] : ['--user']), ...args];
    const { code, stderr } = await runProgram(argv, { env, signal }).catch((error: unknown) =>
      refuseService('systemd', error),
    );
    if (code !== 0) refuseService('systemd', stderr.trim() || `exit ${code}`);
  };
  return {
    name: 'systemd',
    ofTheMachine: system,
    text: nodeUnit(service),
    async install() {
      try {
        await mkdir(folder, { recursive: true });
        await replaceFile(path, nodeUnit(service), 0o644);
        await systemctl('daemon-reload');
        await systemctl('enable', name);
      } catch (error) {
        await rm(path, { force: true }).catch(() => undefined);
        if (error instanceof NectarError) throw error;
        refuseService('systemd', error);
      }
      return system ? [] : ['So that it starts while you are not logged in: loginctl enable-linger'];
    },
    async remove() {
      if (!existsSync(path)) return;
      await systemctl('disable', name).catch(() => undefined);
      await rm(path, { force: true }).catch((error: unknown) => refuseService('systemd', error));
      await systemctl('daemon-reload').catch(() => undefined);
    },
    isInstalled: async () => existsSync(path),
  };
}

/** The line by which cron starts a node: by its end it is known again. */
export function rebootLine(home: string, nodeId: string): string {
  const command = [process.execPath, ENTRY, 'up', '--home', home, '--json'].map(quoteShellWord).join(' ');
  const log = quoteShellWord(join(home, 'logs', 'service.log'));
  // An unescaped % is a line end to cron, even between quotes.
  return `@reboot ${`${command} >${log} 2>&1`.replaceAll('%', '\\%')} # ${serviceName(nodeId)}`;
}

export function createCrontabStarter({ home, nodeId }: NodeService, { env, signal }: Terminal): Starter {
  const call = (argv: [string, ...string[]], input?: string) =>
    runProgram(argv, { env, signal, ...(input !== undefined && { input }) }).catch((error: unknown) =>
      refuseService('crontab', error),
    );
  const lines = async (): Promise<string[]> => {
    const { code, stdout, stderr } = await call(['crontab', '-l']);
    // Whoever has none yet is told so with an exit code of 1.
    if (code !== 0 && !/no crontab/i.test(stderr)) refuseService('crontab', stderr.trim() || `exit ${code}`);
    return stdout.split('\n').filter((line) => line !== '');
  };
  const isOwn = (line: string): boolean => line.endsWith(`# ${serviceName(nodeId)}`);
  const write = async (wanted: readonly string[]): Promise<void> => {
    const { code, stderr } = await call(['crontab', '-'], wanted.map((line) => `${line}\n`).join(''));
    if (code !== 0) refuseService('crontab', stderr.trim() || `exit ${code}`);
  };
  return {
    name: 'crontab',
    ofTheMachine: false,
    text: rebootLine(home, nodeId),
    async install() {
      await write([...(await lines()).filter((line) => !isOwn(line)), rebootLine(home, nodeId)]);
      return [];
    },
    async remove() {
      const all = await lines();
      if (all.some(isOwn)) await write(all.filter((line) => !isOwn(line)));
    },
    isInstalled: async () => (await lines().catch(() => [])).some(isOwn),
  };
}
