import { Command, Option } from 'commander';
import type { Terminal } from './terminal.ts';
import { VERSION } from './version.ts';

/** The program without a command: what all of them share. */
export function createBareProgram(terminal: Terminal): Command {
  const program = new Command('nectar-byon');
  program
    .description('Nectar BYON: run your own node of the Nectar network')
    .version(VERSION, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show the help')
    .helpCommand(false)
    // Otherwise `get --version 2` would be the program's own --version.
    .enablePositionalOptions()
    .addOption(new Option('--home <dir>').hideHelp())
    .addOption(new Option('--json').hideHelp())
    .configureHelp({ sortSubcommands: false, subcommandTerm: (command) => command.name() })
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      // main.ts renders it, as JSON where that is asked for.
      outputError: () => undefined,
      getOutHelpWidth: () => terminal.stdout.columns ?? 100,
      getOutHasColors: () => terminal.stdout.isTTY === true && !terminal.env.NO_COLOR,
    })
    .exitOverride()
    .addHelpText('after', '\nStart with `nectar-byon init`. Every command explains itself: `nectar-byon put --help`.');
  return program;
}
