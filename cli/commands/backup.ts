import { relative, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { requireHome } from '../home-folder.ts';
import { showByteProgress } from '../render/progress.ts';
import { formatBytes } from '../render/quantities.ts';
import type { Terminal } from '../terminal.ts';
import { passphraseFileOption } from './unlock.ts';

interface BackupOptions {
  readonly out: string;
  readonly force?: boolean;
  readonly passphraseFile?: string;
  readonly withKeyFile?: boolean;
}

const KEY_WARNING =
  'The key file is NOT in it, and neither is the passphrase: without one of them this backup opens for nobody. Keep the key file apart from the backups.';

export function registerBackup(program: Command, terminal: Terminal): void {
  addVerb(program, 'backup', {
    summary: 'copy everything that the node keeps to one file, while it runs',
    about:
      'A tar of what is sealed at rest, with the SHA-256 of each file, signed by the node. Not in it: the key file or passphrase, the state that is derived again from L1, the TLS key and the token of this machine. What is destroyed after a backup was made is NOT destroyed in it: whoever has the file and the key can still read it, since it cannot be changed from here. Delete old files as your retention says.',
    examples: [
      'backup --out /mnt/usb/clinic.nectar-backup',
      'backup --out clinic.nectar-backup --passphrase-file - --json',
    ],
  })
    .addOption(new Option('-o, --out <file>', 'the file to write').makeOptionMandatory())
    .addOption(new Option('--force', 'overwrite the file'))
    .addOption(passphraseFileOption())
    .addOption(new Option('--with-key-file').hideHelp())
    .action(action(terminal, backup));
}

async function backup(call: Call<BackupOptions>): Promise<void> {
  const { home, options, terminal, output } = call;
  if (options.withKeyFile === true) throw new NectarError('BACKUP_KEY_REFUSED', {});
  requireHome(home);
  const out = resolve(terminal.workingFolder, options.out);
  if (!relative(home, out).startsWith('..'))
    throw new NectarError('CLI_USAGE', { problem: 'a backup inside the home is lost with it: name another place' });
  const { backUp } = await import('../life/back-up.ts');
  const progress = showByteProgress(terminal, 'backup', undefined, output.json);
  try {
    const { passphraseFile } = options;
    const force = options.force === true;
    const onBytes = (bytes: number): void => progress.advance(bytes);
    const result = await backUp({ home, out, force, passphraseFile, terminal, onBytes });
    progress.done();
    output.note(KEY_WARNING);
    if (!result.recorded) output.note('The node is down or locked: its audit log will say so at the next start.');
    output.result({ file: out, ...result, keyFileIncluded: false }, () =>
      [`${out}: ${formatBytes(result.fileBytes)}, ${result.entries} files, as of ${result.createdAt}`].join('\n'),
    );
  } finally {
    progress.done();
  }
}
