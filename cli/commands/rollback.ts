import { type Command, Option } from 'commander';
import { action, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import type { rollBackNode } from '../life/upgrade/upgrade-node.ts';
import type { rollBackProcess } from '../life/upgrade/upgrade-process.ts';
import type { rollBackRelease } from '../provision/kubernetes/upgrade-release.ts';
import type { Terminal } from '../terminal.ts';
import { passphraseFileOption } from './unlock.ts';
import { requireDuration } from './up.ts';

interface RollbackOptions {
  readonly passphraseFile?: string;
  readonly timeout: string;
}

export function registerRollback(program: Command, terminal: Terminal): void {
  addVerb(program, 'rollback', {
    summary: 'undo the last upgrade: back to the version before it',
    about:
      'Data stays where it is. A process is started by the program that ran it before, whose folder must still be there. A version that cannot read what a newer one wrote says so and does not start.',
    examples: ['rollback', 'rollback --timeout 10m --json'],
  })
    .addOption(passphraseFileOption())
    .addOption(new Option('--timeout <duration>', 'how long it has to become ready').default('180s'))
    .action(action(terminal, rollback));
}

async function rollback({ home, options, terminal, output }: Call<RollbackOptions>): Promise<void> {
  requireHome(home);
  const timeoutMs = requireDuration(options.timeout);
  const { passphraseFile } = options;
  const goBack = await chooseRollback(home);
  const { version, gateway, ready } = await goBack({ home, terminal, output, timeoutMs, passphraseFile });
  output.result({ home, version, gateway, ready }, () =>
    ready ? `back at ${version}, ready at ${gateway}` : `back at ${version}, and locked: \`nectar-byon unlock\``,
  );
}

async function chooseRollback(
  home: string,
): Promise<typeof rollBackNode | typeof rollBackRelease | typeof rollBackProcess> {
  const { findClusterTarget } = await import('../provision/kubernetes/cluster-target.ts');
  if (findClusterTarget(home) !== undefined)
    return (await import('../provision/kubernetes/upgrade-release.ts')).rollBackRelease;
  const { findTarget } = await import('../provision/docker/target-file.ts');
  if (findTarget(home) === undefined) return (await import('../life/upgrade/upgrade-process.ts')).rollBackProcess;
  return (await import('../life/upgrade/upgrade-node.ts')).rollBackNode;
}
