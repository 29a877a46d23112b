import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { toJson } from '../render/output.ts';
import { renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';

export function registerConfig(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'config', 'show and change the configuration');
  addVerb(group, 'print', {
    summary: 'print every option with its value and where that came from; credentials are redacted',
    about: 'default < HOME/config.json < environment < flag. Secrets are file paths, never values.',
    examples: ['config print', 'config print --defaults', 'config print --json'],
  })
    .addOption(new Option('--defaults', 'the defaults alone, with what each option means'))
    .action(action(terminal, print));
  addVerb(group, 'set <option> <value>', {
    summary: 'set one option in the configuration file; the next start of the node takes it',
    about:
      'The value is checked with the whole configuration first. A list is written with commas. A variable of the environment goes before the file.',
    examples: [
      'config set gateway.port 9443',
      'config set rollup.l1RpcUrls https://l1.clinic.example,https://l1.example.org',
    ],
  }).action(action(terminal, (call: Call<object>) => change(call, call.operands[1])));
  addVerb(group, 'unset <option>', {
    summary: 'take one option out of the configuration file: its default holds again',
    examples: ['config unset gateway.port'],
  }).action(action(terminal, (call: Call<object>) => change(call, undefined)));
}

async function change({ home, operands, output }: Call<object>, value: string | undefined): Promise<void> {
  const { changeConfig, configPath } = await import('../../appliance/config/index.ts');
  const { findClusterTarget } = await import('../provision/kubernetes/cluster-target.ts');
  requireHome(home);
  if (findClusterTarget(home) !== undefined) {
    const problem =
      'the configuration of a node in a cluster is in the values of its release (`config.*`): `nectar-byon up` takes them';
    throw new NectarError('CLI_USAGE', { problem });
  }
  const done = await changeConfig(home, operands[0] ?? '', value);
  const { findGateway } = await import('../node-client.ts');
  const isUp = (await findGateway(home)) !== undefined;
  const shown = (it: unknown): string => (it === undefined ? 'its default' : toJson(it));
  output.result({ ...done, file: configPath(home) }, () =>
    [
      `${done.option}: ${shown(done.after)} (before: ${shown(done.before)})`,
      isUp
        ? 'The node runs with what it had at its start: `nectar-byon down` and `up` take the new value.'
        : 'The next `nectar-byon up` takes it.',
    ].join('\n'),
  );
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
