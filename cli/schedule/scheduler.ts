import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Terminal } from '../terminal.ts';
import { createCrontab, cronLine } from './crontab.ts';
import type { Scheduler } from './scheduled-run.ts';
import { createSystemd, unitFolder } from './systemd.ts';

/** The one that is asked for, else the first that this machine has. */
export function chooseScheduler(terminal: Terminal, asked: Scheduler['name'] | undefined): Scheduler {
  const { env, signal } = terminal;
  switch (asked ?? findScheduler(terminal)) {
    case 'systemd': {
      const system = process.getuid?.() === 0;
      return createSystemd({ env, signal, system, folder: unitFolder(system, terminal.userFolder, env) });
    }
    case 'crontab':
      return createCrontab({ env, signal });
    case 'hand':
      return BY_HAND;
  }
}

export function findScheduler(terminal: Terminal): Scheduler['name'] {
  return schedulersHere(terminal)[0] ?? 'hand';
}

/** Those that this machine has, the best first. */
export function schedulersHere({ env }: Pick<Terminal, 'env'>): readonly Scheduler['name'][] {
  // sd_booted(3): the folder is there when systemd is what runs the machine.
  const systemd = existsSync('/run/systemd/system') && isProgram('systemctl', env);
  return [...(systemd ? (['systemd'] as const) : []), ...(isProgram('crontab', env) ? (['crontab'] as const) : [])];
}

export function isProgram(name: string, env: Terminal['env']): boolean {
  return (env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const BY_HAND: Scheduler = {
  name: 'hand',
  install: async (run) => ['Let your scheduler run this, as whoever owns the home:', cronLine(run)],
  remove: async () => undefined,
};
