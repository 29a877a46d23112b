import { relative, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { leaving } from '../interruption.ts';
import type { BackedUpTo } from '../life/repository/back-up-to.ts';
import { isStdout } from '../output-place.ts';
import { showByteProgress } from '../render/progress.ts';
import { formatBytes, formatDuration } from '../render/quantities.ts';
import type { Terminal } from '../terminal.ts';
import { registerBackupRepository } from './backup-repository.ts';
import { credentialsOf, credentialsOption } from './choose-repository.ts';
import { passphraseFileOption } from './unlock.ts';

interface BackupOptions {
  readonly out?: string;
  readonly to?: string;
  readonly force?: boolean;
  readonly acceptOlder?: boolean;
  readonly acceptLoss?: boolean;
  readonly passphraseFile?: string;
  readonly scheduled?: boolean;
  readonly credentials?: string;
  readonly withKeyFile?: boolean;
}

const KEY_WARNING =
  'The key file is NOT in it, and neither is the passphrase: without one of them this backup opens for nobody. Keep the key file apart from the backups.';

export function registerBackup(program: Command, terminal: Terminal): void {
  const verb = addVerb(program, 'backup', {
    summary: 'copy everything that the node keeps, while it runs: to a repository, or to one file',
    about:
      'A repository (--to) takes what is new with each run, keeps snapshots, and holds what opens records in one object that each run replaces: what is destroyed in the node is destroyed in every snapshot with the next run. One file (--out) is a tar of what is sealed at rest, signed by the node; it cannot be changed from here, so what is destroyed afterwards is NOT destroyed in it: delete old files as your retention says. In neither: the key file or passphrase, the state that is derived again from L1, the TLS key and the token of this machine.',
    examples: [
      'backup --to /mnt/backup/clinic',
      'backup --to s3://clinic-backup/node-1 --credentials /etc/nectar/s3',
      'backup --to node://clinic-b.example:8443 --credentials clinic-b.access',
      'backup --out /mnt/usb/clinic.nectar-backup',
      'backup --out clinic.nectar-backup --passphrase-file - --json',
    ],
  });
  verb
    .addOption(new Option('--to <place>', 'the repository: a folder, s3://BUCKET/PREFIX or node://HOST:PORT'))
    .addOption(credentialsOption())
    .addOption(new Option('-o, --out <file>', 'the file to write'))
    .addOption(new Option('--force', 'overwrite the file'))
    .addOption(new Option('--accept-older', 'go on although the repository is older than the node knows it'))
    .addOption(new Option('--accept-loss', 'go on although the index has fewer records than the last snapshot'))
    .addOption(passphraseFileOption())
    .addOption(
      new Option('--scheduled', 'as a schedule runs it: prune by the kept retention, and restore a part').hideHelp(),
    )
    .addOption(new Option('--with-key-file').hideHelp())
    .action(action(terminal, backup));
  registerBackupRepository(verb, terminal);
}

async function backup(call: Call<BackupOptions>): Promise<void> {
  const { home, options } = call;
  if (options.withKeyFile === true) throw new NectarError('BACKUP_KEY_REFUSED', {});
  requireHome(home);
  if ((options.to === undefined) === (options.out === undefined))
    throw new NectarError('CLI_USAGE', { problem: 'say where: --to REPOSITORY, or --out FILE' });
  return options.to === undefined ? toFile(call, options.out ?? '') : toRepository(call, options.to);
}

async function toFile(call: Call<BackupOptions>, file: string): Promise<void> {
  const { home, options, terminal, output } = call;
  const out = resolve(terminal.workingFolder, file);
  if (!relative(home, out).startsWith('..'))
    throw new NectarError('CLI_USAGE', { problem: 'a backup inside the home is lost with it: name another place' });
  const { backUp } = await import('../life/back-up.ts');
  const progress = await showByteProgress(terminal, 'backup', undefined, output.json);
  try {
    const { passphraseFile } = options;
    const force = options.force === true;
    const onBytes = (bytes: number): void => progress.advance(bytes);
    const result = await backUp({ home, out, force, passphraseFile, terminal, onBytes });
    progress.done();
    output.note(KEY_WARNING);
    output.note('What is destroyed from now on stays readable in this file: delete it as your retention says.');
    if (!result.recorded) output.note('The node is down or locked: its audit log will say so at the next start.');
    const line = `${out}: ${formatBytes(result.fileBytes)}, ${result.entries} files, as of ${result.createdAt}`;
    // The backup itself is there.
    if (isStdout(out)) output.note(line);
    else output.result({ file: out, ...result, keyFileIncluded: false }, line);
  } finally {
    progress.done();
  }
}

async function toRepository(call: Call<BackupOptions>, place: string): Promise<void> {
  const { home, options, terminal, output } = call;
  const { backUpTo } = await import('../life/repository/back-up-to.ts');
  const { targetPlace } = await import('../life/repository/open-target.ts');
  const { findKnown } = await import('../life/repository/known-repositories.ts');
  const target = targetPlace(terminal, place);
  const credentials = credentialsOf(terminal, options) ?? (await findKnown(home, target))?.credentials;
  const progress = await showByteProgress(terminal, 'backup', undefined, output.json);
  try {
    const left = (): string =>
      `what it brought to ${target} stays; the same command goes on, and brings none of it twice`;
    const done = await leaving(terminal, left, () =>
      backUpTo({
        credentials,
        ...{ home, target, passphraseFile: options.passphraseFile, terminal },
        acceptOlder: options.acceptOlder === true,
        acceptLoss: options.acceptLoss === true,
        say: (text) => output.note(text),
        onBytes: (bytes) => progress.advance(bytes),
      }),
    );
    progress.done();
    if (done.generation === 1) output.note(KEY_WARNING);
    for (const warning of done.warnings) output.note(warning);
    if (done.damagedBlocks > 0)
      output.note(`${done.damagedBlocks} damaged blocks were left out: run \`nectar-byon scrub\`.`);
    if (!done.recorded) output.note('The node is down or locked: its audit log will say so at the next start.');
    output.result({ ...done, keyFileIncluded: false }, () => describe(done));
    if (options.scheduled === true) await follow(call, target);
  } finally {
    progress.done();
  }
}

async function follow(call: Call<BackupOptions>, target: string): Promise<void> {
  const { followSnapshot } = await import('../life/repository/scheduled-backup.ts');
  const verified = await followSnapshot(call, target);
  const [first] = verified?.faults ?? [];
  if (verified !== undefined && first !== undefined)
    throw new NectarError('BACKUP_VERIFY_FAILED', { target, faults: verified.faults.length, first });
}

function describe(done: BackedUpTo): string {
  const { target, generation, createdAt, records, bytes, newBytes, tableBytes, milliseconds } = done;
  return [
    `${target}: snapshot ${generation}, ${records} records and ${formatBytes(bytes)}, as of ${createdAt}`,
    `brought ${formatBytes(newBytes)} and the key table (${formatBytes(tableBytes)}) in ${formatDuration(milliseconds)}`,
  ].join('\n');
}
