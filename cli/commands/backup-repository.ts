import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { VerifiedRepository } from '../life/repository/verify-repository.ts';
import { parseCount } from '../option-parsers.ts';
import { showByteProgress } from '../render/progress.ts';
import { formatBytes, formatDuration } from '../render/quantities.ts';
import { renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';
import { registerBackupKeep } from './backup-keep.ts';
import { chooseRepository } from './choose-repository.ts';
import { passphraseFileOption } from './unlock.ts';

const DEFAULT_SAMPLE = 32;

/** Verbs about the repositories that a node has been backed up to. */
export function registerBackupRepository(verb: Command, terminal: Terminal): void {
  addVerb(verb, 'list [place]', {
    summary: 'show the snapshots of a repository, each with its signature verified',
    examples: ['backup list', 'backup list /mnt/backup/clinic --json'],
  }).action(action(terminal, list));
  addVerb(verb, 'verify [place]', {
    summary: 'restore the newest snapshot to a scratch folder, read records from it, and throw it away',
    about:
      'Compares what the repository holds with what was signed, restores log, keys, index and blocks beside the home (never over it), verifies the log, opens every entry of the index and reads records through the store. Exit code 3 when anything does not hold. The result is in the audit log, `status`, `doctor` and the metrics.',
    examples: ['backup verify', 'backup verify /mnt/backup/clinic --quick --sample 100 --json'],
  })
    .addOption(new Option('--quick', 'fetch only the blocks of the records that are read'))
    .addOption(new Option('--sample <n>', 'records to read').argParser(parseCount).default(DEFAULT_SAMPLE))
    .addOption(new Option('--scratch <dir>', 'where to restore to (default: beside the home)'))
    .addOption(new Option('--unattended', 'ask nobody: without a key file objects are compared, and nothing is opened'))
    .addOption(passphraseFileOption())
    .action(action(terminal, verify));
  registerBackupKeep(verb, terminal);
}

interface VerifyOptions {
  readonly quick?: boolean;
  readonly sample: number;
  readonly scratch?: string;
  readonly unattended?: boolean;
  readonly passphraseFile?: string;
}

async function list(call: Call<object>): Promise<void> {
  const { home, terminal, output } = call;
  const known = await chooseRepository(call);
  const { openTarget } = await import('../life/repository/open-target.ts');
  const { listSnapshots } = await import('../life/repository/list-snapshots.ts');
  const target = await openTarget(known, terminal.signal);
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

async function verify(call: Call<VerifyOptions>): Promise<void> {
  const { options, terminal, output } = call;
  const known = await chooseRepository(call);
  const { verifyAndRecord } = await import('../life/repository/verify-and-record.ts');
  const progress = await showByteProgress(terminal, 'verify', undefined, output.json);
  try {
    const { quick, sample, scratch, unattended, passphraseFile } = options;
    const done = await verifyAndRecord(call, {
      ...{ known, whole: quick !== true, sample, passphraseFile, unattended: unattended === true },
      scratch: scratch === undefined ? undefined : resolve(terminal.workingFolder, scratch),
      onBytes: (bytes) => progress.advance(bytes),
    });
    progress.done();
    if (!done.opened) output.note('The keys were not at hand: objects were compared, and no record was opened.');
    if (done.auditLeaf === undefined) output.note('The node is down or locked: its audit log does not say so.');
    output.result({ target: known.target, ...done }, () => describeVerified(done));
    const [first] = done.faults;
    if (first !== undefined)
      throw new NectarError('BACKUP_VERIFY_FAILED', { target: known.target, faults: done.faults.length, first });
  } finally {
    progress.done();
  }
}

function describeVerified(done: VerifiedRepository): string {
  const { generation, opened, records, objects, entries, leaves, bytes, milliseconds, faults } = done;
  const took = `recovery took ${formatDuration(milliseconds)} for ${formatBytes(bytes)}`;
  return [
    `snapshot ${generation}: ${faults.length === 0 ? 'restores' : 'DOES NOT RESTORE'}`,
    opened
      ? `${took}: ${records} records read, ${entries} entries of the index opened, ${leaves} leaves of the log verified, ${objects} objects compared`
      : `${objects} objects compared (${formatBytes(bytes)}) in ${formatDuration(milliseconds)}`,
    ...faults.map((fault) => `  ${fault}`),
  ].join('\n');
}
