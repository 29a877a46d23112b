import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../../appliance/durable-file.ts';
import { makeFolders } from '../../appliance/make-folders.ts';
import { NectarError } from '../../protocol/errors.ts';
import { type ProgramOptions, runProgram } from './run-program.ts';
import { commandOf, type ScheduledRun, type Scheduler } from './scheduled-run.ts';

export interface SystemdOptions extends Omit<ProgramOptions, 'input'> {
  /** Units of the machine, of root; else of the user alone. */
  readonly system: boolean;
  /** Where the units go. */
  readonly folder: string;
}

/** The folder that systemd reads the units of root, or of a user, from. */
export function unitFolder(system: boolean, userFolder: string, env: SystemdOptions['env']): string {
  if (system) return '/etc/systemd/system';
  return join(env.XDG_CONFIG_HOME || join(userFolder, '.config'), 'systemd', 'user');
}

export function serviceUnit(run: ScheduledRun): string {
  const variables = Object.entries(run.environment).map(
    ([name, value]) => `Environment=${quoteText(`${name}=${value}`)}\n`,
  );
  return `[Unit]
Description=${run.title}

[Service]
Type=oneshot
${variables.join('')}ExecStart=${commandOf(run).map(quoteWord).join(' ')}
${run.findingsAreFine ? 'SuccessExitStatus=3\n' : ''}Nice=10
`;
}

export function timerUnit(run: ScheduledRun): string {
  return `[Unit]
Description=${run.title}

[Timer]
OnActiveSec=2min
OnBootSec=15min
OnUnitActiveSec=${run.everySeconds}s
RandomizedDelaySec=60s

[Install]
WantedBy=timers.target
`;
}

export function createSystemd({ system, folder, ...options }: SystemdOptions): Scheduler {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new NectarError('HARDENING_SCHEDULE_REFUSED', { by: 'systemd', reason }, { cause });
  };
  async function systemctl(...args: string[]): Promise<void> {
    const argv = ['systemctl', ...(system ? [] : ['--user']), ...args] as const;
    const { code, stderr } = await runProgram(argv as unknown as [string, ...string[]], options).catch(
      (error: unknown) => refuse((error as NodeJS.ErrnoException).code ?? String(error), error),
    );
    if (code !== 0) refuse(stderr.trim() || `exit ${code}`);
  }
  const paths = (name: string): string[] => ['service', 'timer'].map((kind) => join(folder, `${name}.${kind}`));

  return {
    name: 'systemd',
    async install(run) {
      const { name } = run;
      const [service = '', timer = ''] = paths(name);
      try {
        await makeFolders(folder);
        await replaceFile(service, serviceUnit(run), 0o644);
        await replaceFile(timer, timerUnit(run), 0o644);
      } catch (error) {
        refuse((error as NodeJS.ErrnoException).code ?? String(error), error);
      }
      await systemctl('daemon-reload');
      await systemctl('enable', `${name}.timer`);
      await systemctl('restart', `${name}.timer`);
      return system ? [] : ['So that it runs while you are logged out: loginctl enable-linger'];
    },
    async remove({ name }) {
      // A unit that is gone already is what is wanted.
      await systemctl('disable', '--now', `${name}.timer`).catch(() => undefined);
      for (const path of paths(name)) await rm(path, { force: true });
      await systemctl('daemon-reload').catch(() => undefined);
    },
  };
}

/** One word of ExecStart: systemd reads backslash, quote, percent and dollar in it (systemd.service(5)). */
export function quoteWord(word: string): string {
  return quoteText(word.replaceAll('$', '$$$$'));
}

/** The same of Environment, where a dollar stands for itself (systemd.exec(5)). */
function quoteText(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
}
