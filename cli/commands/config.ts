import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { toJson } from '../render/output.ts';
import { renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';

export function registerConfig(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'config', 'show the configuration');
  addVerb(group, 'print', {
    summary: 'print every option with its value and where that came from; credentials are redacted',
    about: 'default < HOME/config.json < environment < flag. Secrets are file paths, never values.',
    examples: ['config print', 'config print --defaults', 'config print --json'],
  })
    .addOption(new Option('--defaults', 'the defaults alone, with what each option means'))
    .action(action(terminal, print));
}

async function print({ home, options, terminal, output }: Call<{ defaults?: boolean }>): Promise<void> {
  const { configPath, loadConfig, printConfig, resolveConfig } = await import('../../appliance/config/index.ts');
  const defaults = options.defaults === true;
  if (!defaults && !existsSync(configPath(home))) requireHome(home);
  const loaded = defaults ? resolveConfig({}, { path: 'defaults' }) : loadConfig({ home, env: terminal.env });
  const printed = printConfig(loaded);
  output.result({ options: printed }, () =>
    defaults
      ? printed
          .map(({ path, value, env, description }) => `${path} = ${toJson(value)}\n    ${description}\n    ${env}`)
          .join('\n')
      : renderTable(
          [{ title: 'OPTION' }, { title: 'VALUE' }, { title: 'FROM' }, { title: 'VARIABLE' }],
          printed.map(({ path, value, source, env }) => [path, toJson(value), source, env]),
        ),
  );
}
