import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addGroup, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { hasTarget } from '../provision/docker/target-path.ts';
import type { NodeService } from '../service/service-unit.ts';
import type { Starter } from '../service/starters.ts';
import type { Terminal } from '../terminal.ts';

interface InstallOptions {
  readonly by?: Starter['name'];
}

export function registerService(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'service', 'have the machine start the node after a reboot');
  addVerb(group, 'install', {
    summary: 'have systemd, OpenRC or cron start the node when the machine starts',
    about:
      'As root it is a unit of the machine, confined to what a node needs (no new privileges, a filter of system calls, a read-only system); else a unit of the user, which systemd can confine less. OpenRC (root only) and cron confine nothing: the node has the rights of the home’s owner. Nothing is started or stopped now. A node that opens with a passphrase then stays locked until `nectar-byon unlock`. The devnet of a node has to be started by hand.',
    examples: ['service install', 'service install --by crontab'],
  })
    .addOption(
      new Option('--by <starter>', 'what starts it (default: what this machine has)').choices([
        'systemd',
        'openrc',
        'crontab',
      ]),
    )
    .action(action(terminal, install));
  addVerb(group, 'remove', {
    summary: 'take away what `service install` made; the node runs on',
    examples: ['service remove'],
  }).action(action(terminal, remove));
  addVerb(group, 'show', {
    summary: 'show what starts the node, and what `service install` would write',
    examples: ['service show'],
  }).action(action(terminal, show));
}

const load = () => import('../service/node-service.ts');

/** @throws NectarError CLI_USAGE for containers, which their engine or cluster starts */
async function serviceOf(home: string): Promise<NodeService> {
  requireHome(home);
  if (hasTarget(home))
    throw new NectarError('CLI_USAGE', { problem: 'containers and pods are started by their engine or cluster' });
  return (await load()).describeService(home);
}

async function install({ home, options, terminal, output }: Call<InstallOptions>): Promise<void> {
  const service = await serviceOf(home);
  const { chooseStarter, findStarter } = await load();
  const starter = chooseStarter(service, terminal, options.by);
  if (starter === undefined) {
    const { rebootLine } = await import('../service/starters.ts');
    const reason = `neither systemd nor OpenRC nor crontab is here; have your own start this: ${rebootLine(home, service.nodeId)}`;
    throw new NectarError('CLI_SERVICE_REFUSED', { by: 'this machine', reason });
  }
  const before = await findStarter(service, terminal);
  if (before?.ofTheMachine === true && !service.system) {
    const reason = 'a service of the machine starts the node already, which only root changes';
    throw new NectarError('CLI_SERVICE_REFUSED', { by: before.name, reason });
  }
  const notes = await starter.install();
  if (before !== undefined && before.name !== starter.name) await before.remove();
  for (const note of notes) output.note(note);
  output.result({ home, by: starter.name, notes }, `${starter.name} starts the node with the machine`);
}

async function remove({ home, terminal, output }: Call<object>): Promise<void> {
  const service = await serviceOf(home);
  const starter = await (await load()).findStarter(service, terminal);
  await starter?.remove();
  output.result({ home, removed: starter?.name ?? null }, () =>
    starter === undefined ? 'there was none' : `removed: ${starter.name} starts it no more`,
  );
}

async function show({ home, terminal, output }: Call<object>): Promise<void> {
  const service = await serviceOf(home);
  const { chooseStarter, findStarter } = await load();
  const starter = await findStarter(service, terminal);
  const { nodeUnit } = await import('../service/service-unit.ts');
  const unit = (starter ?? chooseStarter(service, terminal, undefined))?.text ?? nodeUnit(service);
  output.result({ home, by: starter?.name ?? null, unit }, () =>
    [starter === undefined ? 'nothing starts it after a reboot' : `${starter.name} starts it`, '', unit].join('\n'),
  );
}
