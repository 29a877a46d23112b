import type { Command } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import type { KnownRepository } from '../life/repository/known-repositories.ts';
import { renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';

/** Verbs about the repositories that a node has been backed up to. */
export function registerBackupRepository(verb: Command, terminal: Terminal): void {
  addVerb(verb, 'list [place]', {
    summary: 'show the snapshots of a repository, each with its signature verified',
    examples: ['backup list', 'backup list /mnt/backup/clinic --json'],
  }).action(action(terminal, list));
}

/** The one that is named, else the only one that the home knows. @throws NectarError CLI_USAGE */
export async function chooseRepository(call: Call<unknown>): Promise<KnownRepository> {
  const { home, operands, terminal } = call;
  requireHome(home);
  const { knownRepositories } = await import('../life/repository/known-repositories.ts');
  const { targetPlace } = await import('../life/repository/open-target.ts');
  const known = await knownRepositories(home);
  const [named] = operands;
  if (named !== undefined) {
    const target = targetPlace(terminal, named);
    const found = known.find((one) => one.target === target);
    if (found === undefined)
      throw new NectarError('CLI_USAGE', { problem: `this node was never backed up to ${target}` });
    return found;
  }
  const [only, ...others] = known;
  if (only === undefined) throw new NectarError('CLI_USAGE', { problem: 'make a backup first: backup --to PLACE' });
  if (others.length > 0) {
    const places = known.map(({ target }) => target).join(', ');
    throw new NectarError('CLI_USAGE', { problem: `say which one: ${places}` });
  }
  return only;
}

async function list(call: Call<object>): Promise<void> {
  const { home, output } = call;
  const known = await chooseRepository(call);
  const { openTarget } = await import('../life/repository/open-target.ts');
  const { listSnapshots } = await import('../life/repository/list-snapshots.ts');
  const target = openTarget(known);
  try {
    const { repository, snapshots } = await listSnapshots(target, home);
    output.result({ target: known.target, repository, snapshots }, () =>
      renderTable(
        [{ title: 'snapshot', alignRight: true }, { title: 'as of' }, { title: 'audit leaves', alignRight: true }],
        snapshots.map(({ generation, createdAt, leaves }) => [String(generation), createdAt, String(leaves)]),
      ),
    );
  } finally {
    await target.close();
  }
}
