import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NectarError } from '../protocol/errors.ts';
import type { Terminal } from './terminal.ts';

/** The per-user data folder of the platform, where a home lies when nobody names another place. */
function dataFolder(terminal: Terminal): string {
  if (terminal.env.XDG_DATA_HOME) return terminal.env.XDG_DATA_HOME;
  if (terminal.platform === 'darwin') return join(terminal.userFolder, 'Library', 'Application Support');
  return join(terminal.userFolder, '.local', 'share');
}

/** `--home`, else NECTAR_HOME, else the per-user data folder; absolute. */
export function homeFolder(terminal: Terminal, named: string | undefined): string {
  return resolve(
    terminal.workingFolder,
    named ?? terminal.env.NECTAR_HOME ?? join(dataFolder(terminal), 'nectar-byon'),
  );
}

/** `--devnet`, else NECTAR_DEVNET_HOME, else beside the default home of a node; absolute. */
export function devnetFolder(terminal: Terminal, named: string | undefined): string {
  const fallback = join(dataFolder(terminal), 'nectar-byon-devnet');
  return resolve(terminal.workingFolder, named ?? terminal.env.NECTAR_DEVNET_HOME ?? fallback);
}

/**
 * What makes a folder the home of a node: files that `init` writes and nobody else would. One that is missing does not make the
 * node absent: what is missing is said by who needs it. Containers keep the keys in a volume.
 */
export function isNodeHome(home: string): boolean {
  const has = (...names: string[]): boolean => existsSync(join(home, ...names));
  return has('identity', 'public.json') || (has('config.json') && (has('keys.json') || has('target.json')));
}

/** @throws NectarError CLI_HOME_MISSING */
export function requireHome(home: string): void {
  if (!isNodeHome(home)) throw new NectarError('CLI_HOME_MISSING', { home });
}

/** @throws NectarError CLI_HOME_EXISTS when anything is there that a new home would cover */
export function refuseExisting(home: string): void {
  try {
    if (readdirSync(home).length === 0) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
  }
  throw new NectarError('CLI_HOME_EXISTS', { home });
}
