import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { clusterOptions } from '../cluster-options.ts';
import type { NewerLog, TakenLog } from '../life/backup/newer-log.ts';
import type { Restored } from '../life/backup/restore-home.ts';
import { parseCount } from '../option-parsers.ts';
import { showByteProgress } from '../render/progress.ts';
import { formatBytes } from '../render/quantities.ts';
import type { Terminal } from '../terminal.ts';
import { credentialsOption } from './choose-repository.ts';
import { shareOption } from './keys-recovery.ts';
import { type RestoreOptions, restoreFromFile, restoreFromRepository, restoreRequest } from './restore-from.ts';
import { overDamagedHome, withNewerLog } from './restore-log.ts';
import { passphraseFileOption } from './unlock.ts';

export function registerRestore(program: Command, terminal: Terminal): void {
  const verb = addVerb(program, 'restore <backup>', {
    summary: 'make a node again from a backup, on this or another machine',
    about:
      'From a repository: the records as of a snapshot (default: the newest), the log, the keys and the tokens as the newest run left them, so that nothing destroyed or revoked comes back. From one file: everything as of that file; a record that was destroyed after it was made is readable again, unless a newer log tells of it: with --log, or with --over the log of the damaged home, what was destroyed since is destroyed again by the first start, and what the backup lacks is named as lost. The log has to be whole, and go on from that of the backup. Verifies every hash and the signature before anything is put in place, and never overwrites a node. The old node must never run again beside it: both would sign as one.',
    examples: [
      'restore /mnt/usb/clinic.nectar-backup --home /srv/clinic --key-file /mnt/safe/clinic.key',
      'restore /mnt/backup/clinic --home /srv/clinic --key-file /mnt/safe/clinic.key',
      'restore clinic.nectar-backup --target kubernetes --namespace clinic --release clinic --key-file /mnt/safe/clinic.key',
      'restore clinic.nectar-backup --check                # only verify it',
    ],
  })
    .addOption(
      new Option(
        '--key-file <path>',
        'the key file of the node (default: where a file says it was; from a repository it has to be named)',
      ),
    )
    .addOption(passphraseFileOption())
    .addOption(shareOption())
    .addOption(
      new Option('--target <target>', 'where it will run')
        .choices(['process', 'docker', 'kubernetes'])
        .default('process'),
    )
    .addOption(
      new Option('--engine <socket>', 'docker: the container engine (default: DOCKER_HOST, else its usual socket)'),
    )
    .addOption(new Option('--snapshot <n>', 'repository: the records as of this one').argParser(parseCount))
    .addOption(credentialsOption())
    .addOption(
      new Option('--log <place>', 'a newer copy of the audit log: the old home or its audit folder, or a repository'),
    )
    .addOption(
      new Option(
        '--over',
        'the home that is there is damaged, or the volume with its records lost: keep it aside, and take its log, which is newer',
      ),
    )
    .addOption(new Option('--check', 'verify the backup, and leave nothing behind'));
  for (const option of clusterOptions()) verb.addOption(option);
  verb.action(action(terminal, restore));
}

async function restore(call: Call<RestoreOptions>): Promise<void> {
  const { home, options, operands, terminal, output } = call;
  const { isRepository } = await import('../life/repository/open-target.ts');
  const named = operands[0] ?? '';
  const fromRepository = await isRepository(terminal, named);
  if (options.snapshot !== undefined && !fromRepository)
    throw new NectarError('CLI_USAGE', { problem: 'a file holds one moment: --snapshot is of a repository' });
  const check = options.check === true;
  const progress = await showByteProgress(terminal, check ? 'verify' : 'restore', undefined, output.json);
  try {
    const request = restoreRequest(call, (bytes) => progress.advance(bytes));
    const { done, aside } = await overDamagedHome(call, async (old) => {
      const restoring = (log: NewerLog | undefined): Promise<Restored> =>
        (fromRepository ? restoreFromRepository : restoreFromFile)(call, { ...request, log, replace: old?.replace });
      return { done: await withNewerLog(call, old, restoring), aside: old?.place };
    });
    progress.done();
    const { nodeId, createdAt } = done.header;
    const { entries, bytes, log } = done;
    const restored = !check;
    const facts = {
      nodeId,
      createdAt,
      entries,
      bytes,
      restored,
      log: log ?? null,
      ...(aside !== undefined && { aside }),
    };
    output.result({ file: named, ...(restored && { home }), ...facts }, () => {
      const what = `${entries} files, ${formatBytes(bytes)}, node ${nodeId.slice(0, 8)} as of ${createdAt}`;
      return [
        restored ? `restored to ${home}: ${what}` : `intact: ${what}`,
        describeLog(log, { createdAt, fromRepository }),
        ...(aside === undefined ? [] : [`the damaged home is kept in ${aside}: never start it, remove it later`]),
        ...(restored
          ? [options.target === 'kubernetes' ? PODS_START : 'start it with `nectar-byon up`', MEMBERS_ARE_ASKED]
          : []),
      ].join('\n');
    });
  } finally {
    progress.done();
  }
}

const PODS_START = 'its pods start: `nectar-byon up` waits until it is usable, and opens a node that a person opens';
const MEMBERS_ARE_ASKED =
  'it then asks the members of its network for the newest head of its log that they know: `nectar-byon status` tells how many answered';

/** What of the destructions after the backup is known here, and what is not. */
function describeLog(
  log: TakenLog | undefined,
  { createdAt, fromRepository }: { readonly createdAt: string; readonly fromRepository: boolean },
): string {
  if (log !== undefined)
    return `log: ${log.leaves} leaves, ${log.newer} newer than the backup, from ${log.place}: what they destroyed is destroyed again by the first start`;
  return fromRepository
    ? 'log: as the newest run left it; what was destroyed after that run is readable again, unless --log names a newer one'
    : `log: of the file; a record that was destroyed after ${createdAt} is READABLE AGAIN: destroy it again, or restore with --log`;
}
